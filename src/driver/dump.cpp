#include "driver/dump.h"

#include <filesystem>
#include <fstream>

#include "base/check.h"
#include "driver/explain.h"
#include "driver/page.h"
#include "ir/print.h"
#include "ir/print_loop.h"

namespace dgen::driver {

namespace {

std::string all_rewrites(const Record& r) {
  std::string text;
  for (const Stage& stage : r.stages)
    for (auto& rule : stage.rewrites) text += cat(stage.name, ": ", rule.rule, "\n", rule.before, "\n->\n", rule.after, "\n\n");
  return text;
}

}  // namespace

std::string stage_file(const Record& r, size_t number) { return cat(number < 10 ? "0" : "", number, "_", r.stages[number].name, ".dgir"); }
std::string source_ending(const Record& r) { return r.backend == Backend::cuda ? ".cu" : ".c"; }

void dump(const Record& r, const std::string& folder, const std::string& name) {
  std::filesystem::path to = std::filesystem::path(folder) / name;
  std::error_code error;
  std::filesystem::create_directories(to, error);
  if (error) fail("[dump] cannot make the folder ", to.string(), ": ", error.message(), "; DGEN_DUMP names a folder that can be written");
  auto write = [&](const std::string& file, const std::string& text) {
    std::ofstream out(to / file, std::ios::binary);
    if (!(out << text).flush()) fail("[dump] cannot write ", (to / file).string(), "; DGEN_DUMP names a folder that can be written");
  };
  for (size_t i = 0; i < r.stages.size(); ++i) write(stage_file(r, i), ir::print(r.stages[i].graph));
  write("rewrites.txt", all_rewrites(r));
  if (r.plan) write("plan.txt", explain_plan(*r.plan, r.notes));
  for (const RecordedKernel& k : r.kernels) {
    write(k.kernel.name + ".txt", ir::print(k.kernel));
    write(k.kernel.name + source_ending(r), k.source);
  }
  if (!r.source.empty()) write("program" + source_ending(r), r.source);
  write("index.html", page(r, name));
}

}  // namespace dgen::driver
