#include "picture.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "canvas.h"
#include "fft.h"
#include "report.h"

namespace dgen::ddsp {
namespace {

constexpr Colour kInk{30, 30, 30}, kGrid{220, 220, 220}, kPaper{255, 255, 255};
constexpr double kRange = 80;  // dB shown below the loudest bin of the recording

// A rectangle of the picture and what its edges stand for.
struct Plot {
  int x, y, width, height;
  double x_min, x_max, y_min, y_max;

  double px(double v) const { return x + (v - x_min) / (x_max - x_min) * (width - 1); }
  double py(double v) const { return y + height - 1 - (v - y_min) / (y_max - y_min) * (height - 1); }
};

// 1, 2 or 5 times a power of ten, at most `count` of which fit into the range.
double tick_distance(double range, int count) {
  const double raw = range / count, power = std::pow(10, std::floor(std::log10(raw)));
  for (const double factor : {1.0, 2.0, 5.0})
    if (raw <= factor * power) return factor * power;
  return 10 * power;
}

// Dark violet through red to pale yellow, even in lightness.
Colour heat(double v) {
  static constexpr Colour stops[] = {{0, 0, 4},      {28, 16, 68},   {79, 18, 123},   {129, 37, 129}, {181, 54, 122},
                                     {229, 80, 100}, {251, 135, 97}, {254, 194, 135}, {252, 253, 191}};
  const double at = std::clamp(v, 0.0, 1.0) * 8;
  const int i = std::min(7, static_cast<int>(at));
  const auto mix = [&](uint8_t a, uint8_t b) { return static_cast<uint8_t>(std::lround(a + (b - a) * (at - i))); };
  return {mix(stops[i].r, stops[i + 1].r), mix(stops[i].g, stops[i + 1].g), mix(stops[i].b, stops[i + 1].b)};
}

std::string number(double v) { return format("%g", std::abs(v) < 1e-12 ? 0.0 : v); }

void frame(Canvas& canvas, const Plot& p) {
  canvas.fill(p.x - 1, p.y - 1, p.width + 2, 1, kInk);
  canvas.fill(p.x - 1, p.y + p.height, p.width + 2, 1, kInk);
  canvas.fill(p.x - 1, p.y - 1, 1, p.height + 2, kInk);
  canvas.fill(p.x + p.width, p.y - 1, 1, p.height + 2, kInk);
}

void x_axis(Canvas& canvas, const Plot& p, const std::string& title) {
  const double step = tick_distance(p.x_max - p.x_min, 10);
  for (double v = std::ceil(p.x_min / step) * step; v <= p.x_max + step * 1e-6; v += step) {
    canvas.fill(static_cast<int>(p.px(v)), p.y + p.height, 1, 6, kInk);
    canvas.text(static_cast<int>(p.px(v)), p.y + p.height + 9, number(v), kInk, Canvas::Align::centre);
  }
  canvas.text(p.x + p.width / 2, p.y + p.height + 32, title, kInk, Canvas::Align::centre);
}

void y_mark(Canvas& canvas, const Plot& p, double at, const std::string& label) {
  const int y = static_cast<int>(p.py(at));
  canvas.fill(p.x - 6, y, 6, 1, kInk);
  canvas.text(p.x - 10, y - Canvas::text_height() / 2, label, kInk, Canvas::Align::right);
}

// Magnitudes, a column a pixel of the plot.
std::vector<std::vector<float>> spectrogram(std::span<const float> x, int columns, int size) {
  RealFft fft(size);
  const std::vector<float> window = hann_window(size);
  std::vector<std::vector<float>> out(columns, std::vector<float>(fft.bins()));
  std::vector<float> frame(size);
  for (int c = 0; c < columns; ++c) {
    const int64_t first = static_cast<int64_t>((c + 0.5) / columns * static_cast<double>(x.size())) - size / 2;
    for (int i = 0; i < size; ++i) {
      const int64_t at = first + i;
      frame[i] = at >= 0 && at < static_cast<int64_t>(x.size()) ? x[at] * window[i] : 0.0f;
    }
    fft.magnitudes(frame, out[c]);
  }
  return out;
}

void draw_spectrogram(Canvas& canvas, const Plot& p, const std::vector<std::vector<float>>& columns, double loudest) {
  const int bins = static_cast<int>(columns[0].size());
  for (int c = 0; c < p.width; ++c) {
    for (int r = 0; r < p.height; ++r) {
      const int bin = static_cast<int>(static_cast<double>(p.height - 1 - r) / (p.height - 1) * (bins - 1) + 0.5);
      const double db = 20 * std::log10(std::max<double>(columns[c][bin], 1e-9) / loudest);
      canvas.set(p.x + c, p.y + r, heat(1 + db / kRange));
    }
  }
}

void draw_scale(Canvas& canvas, int x, int y, int height) {
  const Plot p{x, y, 16, height, 0, 1, -kRange, 0};
  for (int r = 0; r < height; ++r) canvas.fill(x, y + r, p.width, 1, heat(1 - static_cast<double>(r) / (height - 1)));
  frame(canvas, p);
  for (double db = -kRange; db <= 0; db += 20)
    canvas.text(x + 24, static_cast<int>(p.py(db)) - Canvas::text_height() / 2, number(db), kInk);
  canvas.text(x - 4, y - 24, "dB", kInk);
}

Colour curve_colour(size_t i) {
  static constexpr Colour colours[] = {{31, 119, 180}, {214, 39, 40}, {44, 160, 44}, {148, 103, 189}, {255, 127, 14}};
  return colours[i % std::size(colours)];
}

// The range of what can be drawn, widened to whole marks of 1, 2, 5.
Plot curve_plot(const Canvas& canvas, const std::vector<Curve>& curves) {
  double last = 1, low = std::numeric_limits<double>::infinity(), high = 0;
  for (const Curve& c : curves) {
    for (size_t i = 0; i < c.steps.size(); ++i) {
      if (!(c.values[i] > 0) || !std::isfinite(c.values[i])) continue;
      last = std::max(last, c.steps[i]);
      low = std::min(low, c.values[i]);
      high = std::max(high, c.values[i]);
    }
  }
  if (high == 0) low = 0.1, high = 1;
  return {110, 50, canvas.width() - 150, canvas.height() - 120, 0, last, std::log10(low * 0.9), std::log10(high * 1.1)};
}

void loss_axis(Canvas& canvas, const Plot& p) {
  const bool wide = p.y_max - p.y_min > 1;
  for (int decade = static_cast<int>(std::floor(p.y_min)); decade <= p.y_max; ++decade) {
    for (int digit = 1; digit < 10; ++digit) {
      const double at = decade + std::log10(digit);
      if (at < p.y_min || at > p.y_max) continue;
      canvas.fill(p.x, static_cast<int>(p.py(at)), p.width, 1, kGrid);
      if (!wide || digit == 1 || digit == 2 || digit == 5) y_mark(canvas, p, at, number(digit * std::pow(10, decade)));
    }
  }
}

}  // namespace

void save_spectrograms(const std::filesystem::path& path, std::span<const float> target, std::span<const float> output,
                       int sample_rate) {
  constexpr int width = 1000, height = 300, size = 1024;
  Canvas canvas(width + 200, 2 * height + 160, kPaper);
  const auto above = spectrogram(target, width, size), below = spectrogram(output, width, size);
  double loudest = 1e-6;
  for (const auto& column : above) loudest = std::max<double>(loudest, *std::max_element(column.begin(), column.end()));
  const double seconds = static_cast<double>(target.size()) / sample_rate;
  Plot p{90, 36, width, height, 0, seconds, 0, sample_rate / 2000.0};
  for (const bool first : {true, false}) {
    draw_spectrogram(canvas, p, first ? above : below, loudest);
    frame(canvas, p);
    canvas.text(p.x, p.y - 24, first ? "target" : "reconstruction", kInk);
    const double step = tick_distance(p.y_max, 8);
    for (double khz = 0; khz <= p.y_max * 1.0001; khz += step) y_mark(canvas, p, khz, number(khz));
    canvas.text(14, p.y + height / 2 + Canvas::text_width("frequency (kHz)") / 2, "frequency (kHz)", kInk,
                Canvas::Align::left, true);
    if (first) p.y += height + 56;
  }
  x_axis(canvas, p, "time (s)");
  draw_scale(canvas, p.x + width + 24, 36, height);
  canvas.save_png(path);
}

void save_loss_curves(const std::filesystem::path& path, const std::vector<Curve>& curves) {
  Canvas canvas(1000, 600, kPaper);
  const Plot p = curve_plot(canvas, curves);
  loss_axis(canvas, p);
  x_axis(canvas, p, "step");
  canvas.text(14, p.y + p.height / 2 + Canvas::text_width("loss") / 2, "loss", kInk, Canvas::Align::left, true);
  int legend = p.x;
  for (size_t i = 0; i < curves.size(); ++i) {
    const Curve& c = curves[i];
    canvas.fill(legend, 26, 24, 3, curve_colour(i));
    canvas.text(legend + 32, 20, c.label, kInk);
    legend += 64 + Canvas::text_width(c.label);
    for (size_t k = 0, before = c.steps.size(); k < c.steps.size(); ++k) {
      if (!(c.values[k] > 0) || !std::isfinite(c.values[k])) continue;
      const size_t from = before < k ? before : k;
      canvas.line(p.px(c.steps[from]), p.py(std::log10(c.values[from])), p.px(c.steps[k]),
                  p.py(std::log10(c.values[k])), curve_colour(i), 2);
      before = k;
    }
  }
  frame(canvas, p);
  canvas.save_png(path);
}

}  // namespace dgen::ddsp
