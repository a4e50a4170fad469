#include "canvas.h"

#include <algorithm>
#include <cmath>

#define STB_IMAGE_WRITE_IMPLEMENTATION
#define STB_IMAGE_WRITE_STATIC
#include <stb/stb_image_write.h>
#include <stb/stb_easy_font.h>

#include "base/check.h"
#include "base/file.h"

namespace dgen::ddsp {
namespace {

constexpr int kTextScale = 2;

struct FontVertex {
  float x, y, z;
  uint8_t colour[4];
};

}  // namespace

Canvas::Canvas(int width, int height, Colour background)
    : width_(width), height_(height), rgb_(static_cast<size_t>(width) * height * 3) {
  fill(0, 0, width, height, background);
}

void Canvas::set(int x, int y, Colour c) {
  if (x < 0 || y < 0 || x >= width_ || y >= height_) return;
  uint8_t* at = &rgb_[(static_cast<size_t>(y) * width_ + x) * 3];
  at[0] = c.r, at[1] = c.g, at[2] = c.b;
}

void Canvas::fill(int x, int y, int width, int height, Colour colour) {
  for (int j = y; j < y + height; ++j)
    for (int i = x; i < x + width; ++i) set(i, j, colour);
}

void Canvas::line(double x0, double y0, double x1, double y1, Colour colour, double thickness) {
  const int steps = std::max(1, static_cast<int>(std::ceil(std::max(std::abs(x1 - x0), std::abs(y1 - y0)))));
  const int size = std::max(1, static_cast<int>(thickness + 0.5));
  for (int i = 0; i <= steps; ++i) {
    const double t = static_cast<double>(i) / steps;
    fill(static_cast<int>(std::lround(x0 + (x1 - x0) * t)) - size / 2,
         static_cast<int>(std::lround(y0 + (y1 - y0) * t)) - size / 2, size, size, colour);
  }
}

int Canvas::text_width(const std::string& text) {
  return kTextScale * stb_easy_font_width(const_cast<char*>(text.c_str()));
}

int Canvas::text_height() { return kTextScale * 8; }

// The font is a list of upright rectangles.
void Canvas::text(int x, int y, const std::string& text, Colour colour, Align align, bool rotated) {
  const int length = text_width(text), shift = align == Align::left ? 0 : align == Align::centre ? length / 2 : length;
  std::vector<FontVertex> vertices(text.size() * 80 + 4);
  const int quads = stb_easy_font_print(0, 0, const_cast<char*>(text.c_str()), nullptr, vertices.data(),
                                        static_cast<int>(vertices.size() * sizeof(FontVertex)));
  for (int q = 0; q < quads; ++q) {
    const FontVertex &a = vertices[4 * q], &b = vertices[4 * q + 2];
    const int left = static_cast<int>(a.x) * kTextScale - shift, top = static_cast<int>(a.y) * kTextScale;
    const int w = static_cast<int>(b.x - a.x) * kTextScale, h = static_cast<int>(b.y - a.y) * kTextScale;
    if (rotated)
      fill(x + top, y - left - w, h, w, colour);
    else
      fill(x + left, y + top, w, h, colour);
  }
}

void Canvas::save_png(const std::filesystem::path& path) const {
  std::string bytes;
  const auto append = [](void* to, void* data, int size) {
    static_cast<std::string*>(to)->append(static_cast<char*>(data), static_cast<size_t>(size));
  };
  if (!stbi_write_png_to_func(append, &bytes, width_, height_, 3, rgb_.data(), width_ * 3))
    fail(path.string(), ": cannot encode PNG");
  write_file_atomic(path, bytes);
}

}  // namespace dgen::ddsp
