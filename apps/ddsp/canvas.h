// A picture in memory with just what charts need.
#pragma once
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace dgen::ddsp {

struct Colour {
  uint8_t r = 0, g = 0, b = 0;
};

class Canvas {
 public:
  Canvas(int width, int height, Colour background);

  int width() const { return width_; }
  int height() const { return height_; }

  void set(int x, int y, Colour colour);  // outside the picture: nothing
  void fill(int x, int y, int width, int height, Colour colour);
  void line(double x0, double y0, double x1, double y1, Colour colour, double thickness = 1);

  enum class Align { left, centre, right };
  // ASCII text whose upper edge is y; for `rotated` it runs upwards and x is its left edge.
  void text(int x, int y, const std::string& text, Colour colour, Align align = Align::left, bool rotated = false);
  static int text_width(const std::string& text);
  static int text_height();

  void save_png(const std::filesystem::path& path) const;

 private:
  int width_, height_;
  std::vector<uint8_t> rgb_;
};

}  // namespace dgen::ddsp
