// Makes a data set of bowed-string phrases with known pitch: a digital waveguide, a body and a room, nothing downloaded.
#include <dgen/dgen.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <numbers>
#include <random>
#include <string>

using namespace dgen;

namespace {

constexpr int kRate = 16000, kFrames = 4 * kRate, kHop = 64;
constexpr float kDamping = 0.45f;  // one-pole coefficient of the bridge
constexpr double kPi = std::numbers::pi;

// What the player does, once a sample.
struct Phrase {
  std::vector<float> f0, velocity, pressure;
};

class Player {
 public:
  explicit Player(uint64_t seed) : random_(seed) {}

  // Notes of a scale in a random walk, with delayed vibrato, a swell and, at half of the notes, a change of the bow.
  Phrase phrase() {
    Phrase p;
    const double loud = uniform(0.35, 1), peak_at = uniform(0.2, 0.8), tempo = uniform(0.8, 1.3);
    const double rate = uniform(4.8, 6.2), depth = uniform(10, 30), pressure = uniform(0.55, 0.85);
    const int end = static_cast<int>(uniform(3.4, 3.6) * kRate);
    int degree = static_cast<int>(uniform(0, 11)), note_start = 0, note_end = 0;
    double pitch = 0, bow = 0, target = 0, vibrato = 0;
    bool bow_change = true;
    for (int n = 0; n < kFrames; ++n) {
      if (n >= note_end && n < end) {
        degree = std::clamp(degree + static_cast<int>(std::lround(uniform(-3, 3))), 0, 10);
        target = semitones(degree);
        bow_change = n == 0 || uniform(0, 1) < 0.5;
        if (n == 0) pitch = target;
        note_start = n;
        note_end = n + static_cast<int>(uniform(0.3, 0.9) / tempo * kRate);
      }
      const double t = static_cast<double>(n - note_start) / kRate, x = static_cast<double>(n) / end;
      vibrato += 2 * kPi * rate / kRate;
      const double wide = depth / 100 * std::clamp((t - 0.15) / 0.25, 0.0, 1.0);
      pitch += (target - pitch) * 0.005;  // a finger slides within 12 ms
      const double swell = loud * (0.45 + 0.55 * std::exp(-8 * (x - peak_at) * (x - peak_at)));
      const bool bowing = n < end && !(bow_change && t < 0.04);
      bow += ((bowing ? swell : 0) - bow) * 0.002;
      p.f0.push_back(static_cast<float>(196 * std::exp2((pitch + wide * std::sin(vibrato)) / 12)));
      p.velocity.push_back(static_cast<float>(0.2 * bow));
      p.pressure.push_back(static_cast<float>(pressure));
    }
    return p;
  }

 private:
  double uniform(double from, double to) { return from + (to - from) * static_cast<double>(random_() >> 11) * 0x1p-53; }
  // Degrees of the major scale.
  static double semitones(int degree) {
    constexpr int major[] = {0, 2, 4, 5, 7, 9, 11};
    return 12 * (degree / 7) + major[degree % 7];
  }

  std::mt19937_64 random_;
};

// Both rails of the string, less what the bridge filter delays; the slips of the bow sharpen it by a tenth of a sample.
std::vector<float> string_lengths(const std::vector<float>& f0) {
  std::vector<float> lengths;
  for (float f : f0) {
    const double w = 2 * kPi * f / kRate;
    const double filter = std::atan2(kDamping * std::sin(w), 1 - kDamping * std::cos(w)) / w;
    lengths.push_back(static_cast<float>(kRate / f - filter + 0.11));
  }
  return lengths;
}

// A string between nut and bridge with the bow an eighth away from the bridge (Smith 1986; the bow as in McIntyre,
// Schumacher and Woodhouse 1983: it drags the string along until the two slip).
Signal bowed_string(const Signal& length, const Signal& velocity, const Signal& pressure) {
  constexpr int longest = 256;
  constexpr float position = 0.13f;
  auto [to_bridge, write_bridge] = Signal::history();
  auto [to_nut, write_nut] = Signal::history();
  Signal bridge = to_bridge.delay(length * position - 1.0f, longest);
  Signal from_bridge = bridge.onepole(kDamping) * -0.95f;
  Signal from_nut = -to_nut.delay(length * (1.0f - position) - 1.0f, longest);

  Signal hair = velocity * (1.0f + 0.03f * Signal::noise({.seed = 7}));
  Signal slip = hair - (from_bridge + from_nut);
  Signal grip = abs(slip * (5.0f - 4.0f * pressure)) + 0.75f;
  Signal drag = slip * min(1.0f / (grip * grip * grip * grip), 1.0f);
  write_nut(from_bridge + drag);
  write_bridge(from_nut + drag);
  return bridge;
}

// A wooden box has a few strong resonances; a small room follows.
Signal body_and_room(const Signal& string) {
  Signal x = string.biquad({.cutoff = 120, .mode = BiquadMode::highpass});
  x = x.biquad({.cutoff = 290, .q = 4, .mode = BiquadMode::peaking, .gain_db = 5});
  x = x.biquad({.cutoff = 480, .q = 4, .mode = BiquadMode::peaking, .gain_db = 4});
  x = x.biquad({.cutoff = 2400, .q = 1.5f, .mode = BiquadMode::peaking, .gain_db = 6});
  return x + 0.25f * fdn(x, {.times = {331, 419, 557, 683}, .decay = 0.4f, .damping = 0.4f});
}

void write_pitch(const std::string& path, const std::vector<float>& f0) {
  std::ofstream file(path);
  file << "seconds,f0\n";
  for (size_t n = 0; n < f0.size(); n += kHop) file << static_cast<double>(n) / kRate << ',' << f0[n] << '\n';
}

void make(const std::string& folder, int phrases, int validation) {
  config().sample_rate = kRate;
  std::filesystem::create_directories(folder);
  Program program = compile(body_and_room(bowed_string(Signal::input(0), Signal::input(1), Signal::input(2))));
  std::ofstream manifest(folder + "/manifest.csv");
  manifest << "file,split\n";
  for (int i = 0; i < phrases; ++i) {
    const Phrase p = Player(static_cast<uint64_t>(i)).phrase();
    const std::vector<float> lengths = string_lengths(p.f0);
    std::vector<float> sound = program.run({.frames = kFrames, .inputs = {lengths, p.velocity, p.pressure}})[0];
    float peak = 0;
    for (float x : sound) peak = std::max(peak, std::abs(x));
    for (float& x : sound) x *= 0.8f / peak;
    char name[32];
    std::snprintf(name, sizeof name, "phrase_%02d", i + 1);
    save_audio(folder + "/" + name + ".wav", sound, kRate, {.bits = 16});
    write_pitch(folder + "/" + name + ".f0.csv", p.f0);
    manifest << name << ".wav," << (i < phrases - validation ? "train" : "validation") << '\n';
  }
  std::printf("%d phrases of %d s in %s, the last %d for validation\n", phrases, kFrames / kRate, folder.c_str(), validation);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: make_strings FOLDER\n");
    return 2;
  }
  try {
    make(argv[1], 26, 5);
  } catch (const std::exception& e) {
    std::fprintf(stderr, "make_strings: %s\n", e.what());
    return 1;
  }
  return 0;
}
