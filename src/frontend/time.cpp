// Operators that know of time: sources, windows, clock changes, delays and feedback cells.
#include "frontend/node.h"

namespace dgen::detail {
namespace {

ir::Ints to_ints(const Shape& shape) { return shape.sizes(); }

Value frame_op(const char* op, ir::Attrs attrs, Loc loc) { return apply(op, {}, std::move(attrs), loc); }

// The shape of x and y broadcast, by the rule of add.
Shape common(const char* op, const Value& x, const Value& y, Loc loc) {
  if (x.rank() == 0) return y.shape();
  if (y.rank() == 0 || x.shape() == y.shape()) return x.shape();
  try {
    return scalar("add", {x, y}, loc).shape();
  } catch (const Error&) {
    Value both[] = {x, y};
    fail_at(op, cat("shapes do not broadcast: ", x.shape().str(), " x ", y.shape().str()), both, 2, loc);
  }
}

int64_t check_hop(const char* op, int64_t hop, Loc loc) {
  if (hop < 1) fail_at(op, cat("hop ", hop, " is not positive"), nullptr, 0, loc);
  return hop;
}

constexpr int64_t kLongestDelay = int64_t{1} << 30;

}  // namespace

Value phasor(const Value& freq, const PhasorOptions& options, Loc loc) {
  if (!options.reset.is_set()) return apply("phasor", {freq}, {}, loc);
  Value reset = options.reset.value();
  Shape shape = common("phasor", freq, reset, loc);
  return apply("phasor", {expand(freq, shape, loc), expand(reset, shape, loc)}, {}, loc);
}

Value noise(const Shape& shape, const NoiseOptions& options, Loc loc) {
  check_shape("noise", shape, loc);
  int64_t seed = options.seed ? static_cast<int64_t>(*options.seed) : 0;
  ir::Attrs attrs{{"seed", seed},
                  {"number", int64_t{-1}},
                  {"shape", to_ints(shape)},
                  {"period", check_hop("noise", options.hop, loc)}};
  auto node = std::make_shared<Node>();
  node->op = ir::op("noise");
  node->type = ir::infer_type(node->op, {}, attrs);
  node->attrs = std::move(attrs);
  node->loc = call_site(loc);
  node->unseeded = !options.seed;
  return make_value(std::move(node), nullptr);
}

Value input(int channel, const Shape& shape, int hop, Loc loc) {
  check_shape("input", shape, loc);
  if (channel < 0) fail_at("input", cat("channel ", channel, " is negative"), nullptr, 0, loc);
  return frame_op("input",
                  {{"channel", int64_t{channel}}, {"shape", to_ints(shape)}, {"period", check_hop("input", hop, loc)}},
                  loc);
}

Value buffer(const Value& x, int64_t size, int64_t hop, int64_t period, Loc loc) {
  return apply("buffer", {x}, {{"size", size}, {"hop", hop}, {"period", period}}, loc);
}

Value overlap_add(const Value& x, int64_t hop, Loc loc) { return apply("overlap_add", {x}, {{"hop", hop}}, loc); }

Value hold(const Value& x, int64_t period, Loc loc) {
  check_handle("hold", x, loc);
  if (x.clock().period == period) return x;
  return apply("hold", {x}, {{"period", period}}, loc);
}

Value every(const Value& x, int64_t hop, Loc loc) {
  check_hop("every", hop, loc);
  check_handle("every", x, loc);
  int64_t now = x.clock().period;
  if (now == hop) return x;
  if (now == 0) return hold(x, hop, loc);
  // A slower or unrelated clock is read as held at the clock both meet at.
  Value fine = hop % now == 0 ? x : hold(x, std::gcd(now, hop), loc);
  return fine.clock().period == hop ? fine : apply("decimate", {fine}, {{"hop", hop}}, loc);
}

Value delay(const Value& x, float time, Loc loc) {
  const float samples = std::max(0.0f, time);
  if (!(samples <= static_cast<float>(kLongestDelay)))
    fail_at("delay", cat("a time of ", time, " samples is longer than ", kLongestDelay), &x, 1, loc);
  return delay(x, time, static_cast<int64_t>(std::ceil(samples)), loc);
}

Value delay(const Value& x, const Operand& time, int64_t max, Loc loc) {
  CallSite site(loc);
  if (max < 0 || max > kLongestDelay) fail_at("delay", cat("max must be from 0 to ", kLongestDelay, " samples, got ", max), &x, 1, loc);
  double limit = static_cast<double>(max);
  Value t = time.number() ? number(std::min(std::max(0.0, *time.number()), limit))
                          : clamp({time.value(), number(0), number(limit)}, loc);
  Shape shape = common("delay", x, t, loc);
  return apply("delay", {expand(x, shape, loc), expand(t, shape, loc)}, {{"max", max}}, loc);
}

Value cell(const Shape& shape, int64_t period, const Operand& init, Loc loc) {
  static const ir::Op op = ir::op("state_read");
  check_hop("history", period, loc);
  check_shape("history", shape, loc);
  ir::Type type{shape, {period, false}};
  GroupPtr group;
  auto node = std::make_shared<Node>();
  node->op = op;
  node->type = type;
  node->loc = call_site(loc);
  node->attrs = {{"cell", int64_t{0}}, {"shape", to_ints(shape)}, {"period", period}};
  node->cell = new_cell(std::move(type), &group);
  Groups groups = groups_of(group);
  if (init.is_set() && init.number() != 0.0) {
    Value start = init.value();
    if (!start.clock().is_static())
      fail_at("history", cat("the initial value must be static, this one is at ", start.clock().str()), &start, 1, loc);
    CallSite site(loc, "history");
    start = expand(start, shape, loc);
    node->in = {start.node()};
  }
  return make_value(std::move(node), std::move(groups));
}

Value write_cell(const Value& read, const Value& v, Loc loc) {
  static const ir::Op op = ir::op("state_write");
  check_handle("write", v, loc);
  std::shared_ptr<Cell> cell = read.node()->cell.lock();
  DGEN_ASSERT(cell);
  if (v.shape() != cell->type.shape)
    fail_at("write", cat("a value of shape ", v.shape().str(), " for a history of shape ", cell->type.shape.str()), &v,
            1, loc);
  if (cell->write) fail_at("write", "a second write of one history", &read, 1, loc);
  auto node = std::make_shared<Node>();
  node->op = op;
  node->type = cell->type;
  node->loc = call_site(loc);
  node->attrs = {{"cell", int64_t{0}}, {"shape", to_ints(cell->type.shape)}, {"period", cell->type.clock.period}};
  node->cell = cell;
  node->in = {v.node()};
  set_write(cell, std::move(node), v.groups());
  // The cell's group needs everything that v needs.
  return Value(v.node(), groups_of(cell->group.lock()));
}

Value sum_over_time(const Value& x, Loc loc) { return x.clock().is_static() ? x : apply("sum_time", {x}, {}, loc); }

Value tick_count(const Value& x, Loc loc) { return frame_op("tick_count", {{"period", x.clock().period}}, loc); }

}  // namespace dgen::detail

namespace dgen {

using detail::Wrap;

Signal Signal::phasor(float freq, const PhasorOptions& options, Loc loc) {
  return Signal(Wrap{}, detail::phasor(detail::number(static_cast<double>(freq)), options, loc));
}
Signal Signal::phasor(const Signal& freq, const PhasorOptions& options, Loc loc) {
  return Signal(Wrap{}, detail::phasor(freq, options, loc));
}
SignalTensor Signal::phasor(const Tensor& freq, const PhasorOptions& options, Loc loc) {
  return SignalTensor(Wrap{}, detail::phasor(freq, options, loc));
}
SignalTensor Signal::phasor(const SignalTensor& freq, const PhasorOptions& options, Loc loc) {
  return SignalTensor(Wrap{}, detail::phasor(freq, options, loc));
}

Signal Signal::input(int channel, Loc loc) { return Signal(Wrap{}, detail::input(channel, {}, 1, loc)); }
SignalTensor SignalTensor::input(int channel, const Shape& shape, const InputOptions& options, Loc loc) {
  return SignalTensor(Wrap{}, detail::input(channel, shape, options.hop, loc));
}

Signal Signal::noise(const NoiseOptions& options, Loc loc) { return Signal(Wrap{}, detail::noise({}, options, loc)); }
SignalTensor SignalTensor::noise(const Shape& shape, const NoiseOptions& options, Loc loc) {
  return SignalTensor(Wrap{}, detail::noise(shape, options, loc));
}

Signal Signal::click(Loc loc) {
  detail::CallSite site(loc);
  return frame_index() == 0.0f;
}

SignalHistory Signal::history(const HistoryOptions& options, Loc loc) {
  Value read = detail::cell({}, options.hop, options.init, loc);
  return {Signal(Wrap{}, read), SignalWrite(read)};
}
SignalTensorHistory SignalTensor::history(const Shape& shape, const HistoryOptions& options, Loc loc) {
  Value read = detail::cell(shape, options.hop, options.init, loc);
  return {SignalTensor(Wrap{}, read), SignalTensorWrite(read)};
}

Signal Signal::accum(float increment, const AccumOptions& options, Loc loc) {
  return Signal(Wrap{}, detail::accum(detail::number(static_cast<double>(increment)), options, loc));
}
Signal Signal::accum(const Signal& increment, const AccumOptions& options, Loc loc) {
  return Signal(Wrap{}, detail::accum(increment, options, loc));
}

Signal frame_index(Loc loc) { return Signal(Wrap{}, detail::apply("frame_index", {}, {}, loc)); }
Signal sample_rate(Loc loc) { return Signal(Wrap{}, detail::apply("sample_rate", {}, {}, loc)); }

}  // namespace dgen
