// A whole text: what the kernels call, then the kernels.
#include <algorithm>
#include <map>
#include <set>

#include "codegen/prelude_text.h"
#include "codegen/render.h"
#include "ir/op.h"

namespace dgen::codegen {

using namespace ir;

namespace {

// Glue between the loop IR's calls and the prelude.
std::string helpers(Target target) {
  return cat("#define DG_LONG ", dialect(target).real_long, R"(
DG_FN DG_LONG dg_to_int(float x) {
  float y = x == x ? x : 0.0f;
  y = y < -2147483520.0f ? -2147483520.0f : y;
  y = y > 2147483520.0f ? 2147483520.0f : y;
  return (DG_LONG)(int)y;
}
DG_FN dg_u64 dg_phase_after(dg_u64 phase, dg_u64 step, dg_u64 ticks) { return phase + step * ticks; }
DG_FN dg_u64 dg_phase_reset(float reset, dg_u64 phase) { return reset > 0.0f ? 0 : phase; }
)");
}

// sum += part, the sums in double or as a float and what it lost (Knuth's two-sum).
const char* add_helper(Target target) {
  if (target == Target::c)
    return "DG_FN void dg_add_to(const float* part, double* sum, long n) { for (long i = 0; i < n; ++i) sum[i] += part[i]; }\n";
  if (target == Target::cuda)
    return R"(
DG_FN void dg_add_to(const float* part, double* sum, long long n, long long first, long long step) {
  for (long long i = first; i < n; i += step) sum[i] += part[i];
}
)";
  return R"(
DG_FN void dg_add_to(const device float* part, device float2* sum, long n, long first, long step) {
  for (long i = first; i < n; i += step) {
    float a = sum[i].x, b = part[i], s = a + b, t = s - a, low = sum[i].y + ((a - (s - t)) + (b - t));
    sum[i].x = s + low;
    sum[i].y = low - (sum[i].x - s);
  }
}
)";
}

std::string vector_helpers(Target target, const std::string& code) {
  if (target != Target::c || code.find("dg_v") == std::string::npos) return "";
  return "DG_FN dg_vi dg_choose_i(dg_vi mask, dg_vi a, dg_vi b) { return (a & mask) | (b & ~mask); }\n";
}

// Threads of a kernel wait for each other where the run has made them a place (runtime/threads.h), which begins with the function to call.
constexpr const char* meet_helper = "DG_FN void dg_meet(long place) { (*(void (**)(void*))place)((void*)place); }\n";

// The functions that statements call, and whether for vectors.
void collect_calls(const std::vector<Stmt>& body, std::map<std::string, bool>& names) {
  for (auto& s : body) {
    if (s.kind == Stmt::call) names[s.name] |= s.lanes;
    collect_calls(s.body, names);
    collect_calls(s.rest, names);
  }
}

// How often a text calls each function of the prelude.
std::map<std::string_view, int> count_calls(std::string_view text) {
  std::map<std::string_view, int> calls;
  for (size_t at = 0, end = 0; (at = text.find("dg_", end)) != std::string_view::npos;) {
    for (end = at; end < text.size() && in_word(text[end]);) ++end;
    if (end < text.size() && text[end] == '(') ++calls[text.substr(at, end - at)];
  }
  return calls;
}

// dg_rfft_1024 and the like.
bool fft_plan(const std::string& name, FftPlan* plan) {
  static const std::map<std::string, FftPlan::Kind> kinds = {
      {"dg_rfft", FftPlan::rfft}, {"dg_irfft", FftPlan::irfft}, {"dg_fft", FftPlan::fft}, {"dg_ifft", FftPlan::ifft}};
  size_t cut = name.rfind('_');
  auto kind = kinds.find(name.substr(0, cut));
  if (kind == kinds.end()) return false;
  *plan = {kind->second, std::stoi(name.substr(cut + 1))};
  return true;
}

}  // namespace

std::set<std::string> long_functions(const Kernel& kernel) {
  std::map<std::string, bool> calls;
  collect_calls(kernel.body, calls);
  std::set<std::string> names;
  for (auto& [name, lanes] : calls)
    if (name == "dg_matmul_columns") names.insert("dg_matmul");
    else if (FftPlan plan; fft_plan(name, &plan) || name.starts_with("dg_matmul") || name.starts_with("dg_scan_")) names.insert(name);
  return names;
}

std::string render_program(Target target, std::span<const Kernel* const> kernels) {
  std::map<std::string, bool> calls;
  for (const Kernel* kernel : kernels) collect_calls(kernel->body, calls);
  std::vector<FftPlan> plans;
  for (auto& [name, lanes] : calls)
    if (FftPlan plan; fft_plan(name, &plan)) plan.lanes = lanes, plans.push_back(plan);

  std::string text;
  if (!plans.empty()) text += prelude_fft(target, plans);
  std::set<std::string> products, along_ticks;
  for (auto& [name, lanes] : calls)
    if (name.starts_with("dg_matmul")) products.insert(name);
  if (!products.empty()) text += prelude_gemm(target, products);
  for (auto& [name, lanes] : calls)
    for (const char* kind : {"dg_scan_", "dg_shift", "dg_phase_sum", "dg_sine"})
      if (name.starts_with(kind)) along_ticks.insert(name);
  if (!along_ticks.empty()) text += prelude_scan(along_ticks);
  if (calls.count("dg_add_to")) text += add_helper(target);
  if (std::ranges::any_of(kernels, [](const Kernel* k) { return std::ranges::count(k->args, KernelArg::meeting, &KernelArg::kind) > 0; }))
    text += meet_helper;
  for (const Kernel* kernel : kernels) (text += "\n") += render_kernel(dialect(target), *kernel);
  std::string all = prelude_math(target);
  all += helpers(target);
  all += prelude_calls(target, count_calls(text));
  all += prelude_vector(target, text);
  all += vector_helpers(target, text);
  return all += text;
}

}  // namespace dgen::codegen
