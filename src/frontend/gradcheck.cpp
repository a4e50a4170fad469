// Gradients against central differences of the interpreter in float64.
#include <cmath>
#include <iomanip>
#include <unordered_map>

#include "dgen/config.h"
#include "dgen/train.h"
#include "driver/pipeline.h"
#include "frontend/run.h"
#include "interp/interp.h"

namespace dgen {

using namespace detail;

namespace {

// The loss as a function of params in float64.
class Probe {
 public:
  Probe(const Value& loss, const GradcheckOptions& options)
      : options_(options), frames_(frame_count("gradcheck", options.frames)) {
    captured_.output(reduced_loss("gradcheck", loss, options.reduction));
    check_inputs(captured_.inputs(), options.inputs, 0, frames_);
    graph_ = driver::prepare(captured_.capture().graph);
    for (auto* slots : {&captured_.capture().params, &captured_.capture().tensors})
      for (const driver::StoragePtr& s : *slots) data_[s.get()] = {s->values().begin(), s->values().end()};
  }

  const std::vector<driver::StoragePtr>& params() { return captured_.capture().params; }
  std::vector<double>& values(const driver::StoragePtr& storage) { return data_[storage.get()]; }

  double operator()() {
    std::vector<double> row;
    interp::Leaves leaves{[&](const ir::Node& node, int64_t tick) { return leaf(node, tick, row); }};
    return interp::run(graph_, {frames_, 0, config().sample_rate, 0}, leaves, nullptr).outputs[0][0];
  }

 private:
  const double* leaf(const ir::Node& node, int64_t tick, std::vector<double>& row) {
    static const ir::Op input = ir::op("input"), param = ir::op("param");
    if (node.op == input) {
      const float* data =
          options_.inputs[static_cast<size_t>(node.attrs.i("channel"))].data() + tick * node.shape().size();
      row.assign(data, data + node.shape().size());
      return row.data();
    }
    const driver::Capture& capture = captured_.capture();
    const auto& slots = node.op == param ? capture.params : capture.tensors;
    return data_[slots[static_cast<size_t>(node.attrs.i("slot"))].get()].data();
  }

  const GradcheckOptions& options_;
  int64_t frames_;
  Capturer captured_;
  ir::Graph graph_;
  std::unordered_map<const driver::Storage*, std::vector<double>> data_;
};

// d loss / d value by (f(x + h) - f(x - h)) / 2h at two step sizes.
GradcheckRow differences(Probe& probe, double& value, double step) {
  const double at = value, here = probe();
  double slope[2], gap[2];
  GradcheckRow row;
  for (int i = 0; i < 2; ++i, step /= 2) {
    value = at + step;
    const double above = probe();
    value = at - step;
    const double below = probe();
    slope[i] = (above - below) / (2 * step);
    row.left = (here - below) / step, row.right = (above - here) / step;
    gap[i] = std::abs(row.right - row.left);
  }
  value = at;
  row.difference = (4 * slope[1] - slope[0]) / 3;
  double size = std::max(std::abs(slope[0]), std::abs(slope[1]));
  row.spread = size == 0 ? 0 : std::abs(slope[0] - slope[1]) / size;
  // What curves halves its gap with the step, a jump doubles it.
  const bool apart = gap[1] > 1e-2 * std::max(std::abs(row.left), std::abs(row.right));
  row.jump = apart && gap[1] > 1.5 * gap[0];
  row.kink = apart && !row.jump && gap[1] > 0.75 * gap[0];
  if (row.jump) row.difference = std::abs(row.left) < std::abs(row.right) ? row.left : row.right;
  return row;
}

// backward() on its own; what was left before stays.
std::vector<std::vector<float>> analytic(const Value& loss, const GradcheckOptions& options,
                                         const std::vector<driver::StoragePtr>& params) {
  std::vector<std::vector<float>> before, gradients;
  for (const auto& p : params) before.push_back(std::move(p->grad)), p->grad.clear();
  loss.backward({.frames = options.frames, .inputs = options.inputs, .reduction = options.reduction});
  for (size_t i = 0; i < params.size(); ++i) {
    gradients.push_back(std::move(params[i]->grad));
    params[i]->grad = std::move(before[i]);
  }
  return gradients;
}

std::vector<GradcheckRow> check_param(Probe& probe, const driver::StoragePtr& param, size_t number,
                                      const std::vector<float>& gradient, const GradcheckOptions& options) {
  std::vector<GradcheckRow> rows;
  std::vector<double>& values = probe.values(param);
  size_t count = std::min(values.size(), static_cast<size_t>(std::max(options.max_elements, 1)));
  double largest = 0;
  for (size_t k = 0; k < count; ++k) {
    size_t element = k * values.size() / count;
    GradcheckRow row = differences(probe, values[element], options.step * std::max(std::abs(values[element]), 1.0));
    row.param = param->name.empty() ? "param " + std::to_string(number) : param->name;
    row.element = static_cast<int64_t>(element);
    row.gradient = static_cast<double>(gradient[element]);
    largest = std::max({largest, std::abs(row.gradient), std::abs(row.difference)});
    rows.push_back(row);
  }
  for (GradcheckRow& row : rows) {
    double size = std::max({std::abs(row.gradient), std::abs(row.difference), 1e-3 * largest});
    const double wanted =
        row.kink ? std::clamp(row.gradient, std::min(row.left, row.right), std::max(row.left, row.right)) : row.difference;
    row.error = size == 0 ? 0 : std::abs(row.gradient - wanted) / size;
    if (!std::isfinite(row.gradient) || !std::isfinite(row.difference)) row.error = HUGE_VAL;
  }
  return rows;
}

}  // namespace

Gradcheck gradcheck(const Value& loss, const GradcheckOptions& options) {
  Probe probe(loss, options);
  std::vector<driver::StoragePtr> params;
  for (const auto& p : probe.params())
    if (p->learnable) params.push_back(p);
  if (params.empty()) raise("gradcheck", "the loss depends on nothing learnable", {loss});
  auto gradients = analytic(loss, options, params);
  Gradcheck result;
  for (size_t i = 0; i < params.size(); ++i)
    for (GradcheckRow& row : check_param(probe, params[i], i, gradients[i], options)) {
      result.worst = std::max(result.worst, row.error);
      result.rows.push_back(std::move(row));
    }
  result.ok = result.worst <= options.tolerance;
  return result;
}

std::string Gradcheck::table() const {
  size_t width = 5;
  for (const GradcheckRow& row : rows) width = std::max(width, row.param.size());
  std::ostringstream out;
  auto name = static_cast<int>(width);
  out << std::left << std::setw(name) << "param" << std::right << std::setw(9) << "element" << std::setw(16)
      << "gradient" << std::setw(16) << "difference" << std::setw(10) << "spread" << std::setw(10) << "error" << '\n';
  for (const GradcheckRow& row : rows) {
    out << std::left << std::setw(name) << row.param << std::right << std::setw(9) << row.element;
    out << std::setprecision(8) << std::setw(16) << row.gradient << std::setw(16) << row.difference;
    out << std::setprecision(2) << std::setw(10) << row.spread << std::setw(10) << row.error
        << (row.kink   ? "  kink"
            : row.jump ? "  jump"
                       : "")
        << '\n';
  }
  return out.str();
}

}  // namespace dgen
