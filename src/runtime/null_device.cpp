#include "base/check.h"
#include "runtime/cuda.h"

namespace dgen::runtime {
namespace {

class NullModule : public Module {
 public:
  explicit NullModule(std::string cubin) : cubin_(std::move(cubin)) {}
  // Names of kernels stand in the cubin's symbol table.
  void* kernel(const std::string& name) const override {
    if (cubin_.find(name) == std::string::npos) throw InternalError("no kernel " + name + " in the cubin");
    return const_cast<char*>(cubin_.data());
  }

 private:
  std::string cubin_;
};

class NullDevice : public GpuDevice {
 public:
  std::string name() const override { return "null"; }
  std::string architecture() const override { return "sm_90"; }
  int64_t memory() const override { return int64_t{1} << 33; }
  std::unique_ptr<Module> load(const std::string& cubin) override { return std::make_unique<NullModule>(cubin); }
  void wait() override {}

  void* allocate(std::size_t bytes) override { return host_device().allocate(bytes); }
  void release(void* memory) noexcept override { host_device().release(memory); }
  void copy(void* to, const void* from, std::size_t bytes) override { host_device().copy(to, from, bytes); }
  void upload(void* to, const void* from, std::size_t bytes) override { host_device().upload(to, from, bytes); }
  void download(void* to, const void* from, std::size_t bytes) override { host_device().download(to, from, bytes); }
  void clear(void* memory, std::size_t bytes) override { host_device().clear(memory, bytes); }
  void launch(const Launch& l) override {
    DGEN_ASSERT(l.kernel && l.shape.groups >= 1 && l.shape.groups <= INT32_MAX && l.shape.threads >= 1 && l.shape.threads <= 1024);
    DGEN_ASSERT(l.arrays.size() + l.numbers.size() <= kMostParameters);
    for (void* array : l.arrays) DGEN_ASSERT(array);
  }
};

}  // namespace

GpuDevice& null_device() {
  static NullDevice device;
  return device;
}

}  // namespace dgen::runtime
