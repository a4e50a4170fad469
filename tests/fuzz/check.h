// One patch on all backends: what is wrong with it, if anything, and how far apart they are.
#pragma once
#include <cfloat>
#include <cstring>

#include "fuzz/random_graph.h"

namespace dgen::fuzz {

struct Verdict {
  // forgiven: off by more than rounding, but by no more than moved params or by other data explain
  enum Kind { fine, forgiven, chaotic, wrong } kind = fine;
  std::string what;                  // when wrong or forgiven
  bool bits = false;                 // wrong in what must be equal in all bits
  double forward = 0, backward = 0;  // worst error of C against the interpreter, in units of the tolerance
  double slope = 0;                  // worst error of a gradient against differences, relative
  bool measured = false;             // differences were smooth
};

// How a patch is run.
struct Trial {
  int64_t frames = 40, chunk = 16, tile = 16;
  bool blocks = false;      // runs cut into blocks as well
  bool differences = true;  // gradients measured too
  int optimize = 0;
  uint64_t seed = 1;        // of params and inputs
};

inline void randomize(Patch& p, uint64_t seed) {
  for (size_t i = 0; i < p.capture.params.size(); ++i) {
    driver::Storage& param = *p.capture.params[i];
    param.assign(random_floats(static_cast<int64_t>(param.size()), seed * 1000 + i));
  }
  for (size_t i = 0; i < p.inputs.size(); ++i) p.inputs[i] = random_floats(static_cast<int64_t>(p.inputs[i].size()), seed * 1000 + 500 + i);
}

class Checker {
 public:
  Checker(Patch& patch, const Trial& trial) : p_(patch), t_(trial) {
    outputs_ = p_.g().outputs.size();
    for (Id id : p_.g().outputs) grads_ += p_.g()[id].op->name == "grad";
  }

  Verdict run() {
    randomize(p_, t_.seed);
    limits_ = limits({t_.frames});
    if (limits_.chaotic) {
      v_.kind = Verdict::chaotic;
      return v_;
    }
    compiled();
    if (t_.blocks && v_.kind != Verdict::wrong) blocks();
    if (t_.blocks && v_.kind != Verdict::wrong) continued();
    if (t_.differences && v_.kind != Verdict::wrong && grads_ > 0) differences();
    return v_;
  }

 private:
  // What the interpreter says of a run, and how far rounding may move that.
  struct Limits {
    std::vector<Values> want;
    Values tolerance;
    Values excuse;         // how many tolerances moved params explain
    bool chaotic = false;  // rounding is seen, or float32's range is left
  };

  // Of the last of runs that go on from each other.
  Limits limits(const std::vector<int64_t>& runs) const {
    Oracle oracle(p_);
    auto last = [&](const std::vector<Values>& params, bool single, double nudge) {
      interp::State state;
      std::vector<Values> values;
      for (int64_t frames : runs) values = oracle.run(frames, params, single, nudge, &state);
      return values;
    };
    Limits l;
    l.want = last(p_.param_values(), false, 0);
    // Rounding of one set of data may cancel by chance: it is looked at beside them too.
    Values rounded(outputs_), motions(outputs_);
    for (int place = 0; place < 3; ++place) {
      const double nudge = (place - 1) * 2e-7;  // three roundings, as far as a function of the prelude may be off
      const std::vector<Values> params = nudged(nudge);
      auto moved = last(params, false, nudge), rough = last(params, true, nudge);
      for (size_t o = 0; o < outputs_; ++o) {
        rounded[o] = std::max(rounded[o], distance(rough[o], moved[o], 0, 1));
        motions[o] = std::max(motions[o], distance(moved[o], l.want[o], 0, 1));
      }
    }
    for (size_t o = 0; o < outputs_; ++o) {
      double peak = peak_of(l.want[o]), rounding = rounded[o], motion = motions[o];
      l.tolerance.push_back(8 * rounding + 1e-5 * peak + FLT_MIN);
      l.excuse.push_back(std::max(1.0, (8 * motion + 1e-5 * peak) / l.tolerance.back()));
      if (peak > FLT_MAX || !(8 * std::max(rounding, motion) <= 1e-2 * peak + 1e-6)) l.chaotic = true;
    }
    return l;
  }

  std::vector<Values> nudged(double by) const {
    std::vector<Values> values = p_.param_values();
    for (Values& v : values)
      for (size_t i = 0; i < v.size(); ++i) v[i] *= 1 + (i % 2 ? by : -by);
    return values;
  }

  void wrong(const std::string& what) {
    if (v_.kind != Verdict::wrong) v_.kind = Verdict::wrong, v_.what = what;
  }

  void wrong_bits(const std::string& what) { wrong(what), v_.bits = true; }

  driver::Options options(int64_t tile) const {
    driver::Options o = fast_build(t_.optimize);
    o.chunk_frames = t_.chunk, o.tile_frames = tile;
    return o;
  }

  void compiled() {
    Rows one = run_fresh(p_, Backend::cpu, t_.frames, options(0));
    for (size_t o = 0; o < outputs_; ++o) {
      double d = distance(one[o], limits_.want[o], 0, limits_.tolerance[o]);
      double& worst = o + grads_ < outputs_ ? v_.forward : v_.backward;
      if (d <= 1) {
        worst = std::max(worst, d);
      } else if (d <= limits_.excuse[o]) {
        v_.kind = Verdict::forgiven, v_.what = "moved params explain it";
      } else
        wrong(cat("value: output ", o, " of ", outputs_, " is off by ", d, " tolerances, ",
                  d * limits_.tolerance[o] / peak_of(limits_.want[o]), " of its peak"));
    }
    Player player(p_, Backend::cpu, options(t_.tile));
    player.play(t_.frames + 37);  // leaves its values in memory
    player.rewind();
    Rows tiles = player.play(t_.frames);
    driver::Options poor = options(t_.tile);
    poor.memory_budget = 1;
    Rows recomputed = run_fresh(p_, Backend::cpu, t_.frames, poor);
    for (size_t o = 0; o < outputs_; ++o) {
      if (!same_bits(one[o], tiles[o])) wrong_bits(cat("tiles: output ", o, " of ", outputs_, " changes with the tile length"));
      if (!same_bits(one[o], recomputed[o])) wrong_bits(cat("budget: output ", o, " of ", outputs_, " changes with the memory budget"));
    }
    kept(one);
  }

  // On the same inputs again and again, and on others in between: what is kept from run to run is what would be made.
  void kept(const Rows& one) {
    Player player(p_, Backend::cpu, options(t_.tile));
    auto same = [&](const Rows& want, const char* when) {
      const Rows got = player.play_alone(t_.frames);
      for (size_t o = 0; o < outputs_; ++o)
        if (!same_bits(want[o], got[o])) wrong_bits(cat("kept: output ", o, " of ", outputs_, " changes ", when));
    };
    same(one, "in a run that drops its state");
    same(one, "in a second run");
    for (auto& input : p_.inputs) input[0] += 0.5f;
    same(run_fresh(p_, Backend::cpu, t_.frames, options(0)), "with its inputs");
    for (auto& input : p_.inputs) input[0] -= 0.5f;
    same(run_fresh(p_, Backend::cpu, t_.frames, options(0)), "with inputs from before");
  }

  static bool same_bits(const std::vector<float>& a, const std::vector<float>& b) {
    return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * sizeof(float)) == 0;
  }

  // Forward outputs of a run cut into blocks, with state kept, against one run.
  void blocks() {
    std::vector<Id> forward;
    for (Id id : p_.g().outputs)
      if (!p_.g()[id].clock().is_static()) forward.push_back(id);
    if (forward.empty()) return;
    Patch cut = with_outputs(p_, forward);
    for (Backend backend : {Backend::interpreter, Backend::cpu}) {
      Player player(cut, backend, options(0));
      Rows whole = player.play(t_.frames);
      player.rewind();
      Rows joined(forward.size());
      Random r(t_.seed);
      for (int64_t done = 0; done < t_.frames;) {
        int64_t n = std::min(t_.frames - done, r.pick(std::vector<int64_t>{1, 2, 3, 7, 8, 16}));
        Rows block = player.play(n);
        for (size_t o = 0; o < block.size(); ++o) joined[o].insert(joined[o].end(), block[o].begin(), block[o].end());
        done += n;
      }
      for (size_t o = 0; o < joined.size(); ++o)
        if (!same_bits(whole[o], joined[o]))
          wrong_bits(
              cat("blocks: clocked output ", o, " changes with the block length, ", backend == Backend::cpu ? "compiled" : "interpreted"));
    }
  }

  // Everything, gradients too, in a second run that goes on from kept state.
  void continued() {
    Player compiled(p_, Backend::cpu, options(t_.tile));
    std::vector<int64_t> runs;
    for (int64_t frames : {t_.frames / 3, t_.frames / 2}) {
      runs.push_back(frames);
      const Limits l = limits(runs);
      const Rows got = compiled.play(frames);
      if (l.chaotic) return;  // what settles may tie where fresh runs do not
      for (size_t o = 0; o < outputs_; ++o)
        if (distance(got[o], l.want[o], 1e-3, 4 * l.tolerance[o] + 1e-4 * peak_of(l.want[o])) > 1)
          wrong(cat("continued: output ", o, " of ", outputs_));
    }
  }

  // The gradient along one direction in all params.
  void differences() {
    size_t first = outputs_ - grads_;  // gradients come last
    Patch alone = with_outputs(p_, {p_.g()[p_.g().outputs[first]].in[0]});
    std::vector<Values> at = p_.param_values(), direction = zeros_like(at);
    double stated = 0, size = 0;
    for (size_t o = first; o < outputs_; ++o) {
      auto slot = static_cast<size_t>(p_.g()[p_.g().outputs[o]].attrs.i("slot"));
      std::vector<float> along = random_floats(static_cast<int64_t>(at[slot].size()), t_.seed + slot);
      for (size_t i = 0; i < along.size(); ++i) {
        direction[slot][i] = static_cast<double>(along[i]);
        stated += direction[slot][i] * limits_.want[o][i];
        size += std::fabs(direction[slot][i] * limits_.want[o][i]);
      }
    }
    Slope measured = slopes(Oracle(alone), t_.frames, at, direction, 1e-6)[0];
    // A loss so large that its digits do not hold the step says nothing.
    double digits = 1e-15 * std::fabs(Oracle(alone).run(t_.frames)[0][0]) / 1e-6;
    v_.measured = measured.smooth && digits < 1e-5 * (size + std::fabs(measured.value) + 1e-4);
    if (!v_.measured) return;
    v_.slope = std::fabs(stated - measured.value) / (size + std::fabs(measured.value) + 1e-4);
    if (!(v_.slope <= 1e-4)) wrong(cat("slope: gradient ", stated, " is not ", measured.value, ", measured"));
  }

  Patch& p_;
  Trial t_;
  Verdict v_;
  size_t outputs_ = 0, grads_ = 0;
  Limits limits_;  // of one fresh run
};

// A patch is wrong if it is so for two sets of data: one alone may sit on a jump (a comparison, a wrap). Bits have no excuse.
inline Verdict check(Patch& p, Trial trial) {
  try {
    Verdict first = Checker(p, trial).run();
    if (first.kind != Verdict::wrong || first.bits) return first;
    for (int more = 0; more < 2; ++more) {
      ++trial.seed;
      Verdict again = Checker(p, trial).run();
      if (again.kind == Verdict::wrong) return again;
    }
    first.kind = Verdict::forgiven, first.what = "other data do not show it: " + first.what;
    return first;
  } catch (const std::exception& e) {
    Verdict v;
    v.kind = Verdict::wrong, v.what = cat("throws: ", e.what());
    return v;
  }
}

}  // namespace dgen::fuzz
