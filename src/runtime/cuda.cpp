#include "runtime/cuda.h"

#include <algorithm>
#include <mutex>
#include <vector>

#include "base/check.h"
#include "compile/library.h"

namespace dgen::runtime {
namespace {

// libcuda's C interface, as far as it is used. Results are 0 for success.
using Result = int;
using DeviceNumber = int;
using Context = struct ContextTag*;
using ModuleHandle = struct ModuleTag*;
using Function = struct FunctionTag*;
using Stream = struct StreamTag*;
using Address = unsigned long long;

constexpr Result kOutOfMemory = 2;
constexpr int kMajor = 75, kMinor = 76;  // of the compute capability

struct Api {
  std::shared_ptr<compilers::Library> library;
  Result (*init)(unsigned);
  Result (*get_count)(int*);
  Result (*get_device)(DeviceNumber*, int);
  Result (*get_name)(char*, int, DeviceNumber);
  Result (*get_attribute)(int*, int, DeviceNumber);
  Result (*total_memory)(std::size_t*, DeviceNumber);
  Result (*retain_context)(Context*, DeviceNumber);
  Result (*set_context)(Context);
  Result (*synchronize)();
  Result (*allocate)(Address*, std::size_t);
  Result (*release)(Address);
  Result (*copy)(Address, Address, std::size_t);
  Result (*upload)(Address, const void*, std::size_t);
  Result (*download)(void*, Address, std::size_t);
  Result (*fill)(Address, unsigned char, std::size_t);
  Result (*load_module)(ModuleHandle*, const void*);
  Result (*unload_module)(ModuleHandle);
  Result (*get_function)(Function*, ModuleHandle, const char*);
  Result (*launch)(Function, unsigned, unsigned, unsigned, unsigned, unsigned, unsigned, unsigned, Stream, void**, void**);
  Result (*error_text)(Result, const char**);

  explicit Api(std::shared_ptr<compilers::Library> from) : library(std::move(from)) {
    find(init, "cuInit");
    find(get_count, "cuDeviceGetCount");
    find(get_device, "cuDeviceGet");
    find(get_name, "cuDeviceGetName");
    find(get_attribute, "cuDeviceGetAttribute");
    find(total_memory, "cuDeviceTotalMem_v2");
    find(retain_context, "cuDevicePrimaryCtxRetain");
    find(set_context, "cuCtxSetCurrent");
    find(synchronize, "cuCtxSynchronize");
    find(allocate, "cuMemAlloc_v2");
    find(release, "cuMemFree_v2");
    find(copy, "cuMemcpyDtoD_v2");
    find(upload, "cuMemcpyHtoD_v2");
    find(download, "cuMemcpyDtoH_v2");
    find(fill, "cuMemsetD8_v2");
    find(load_module, "cuModuleLoadData");
    find(unload_module, "cuModuleUnload");
    find(get_function, "cuModuleGetFunction");
    find(launch, "cuLaunchKernel");
    find(error_text, "cuGetErrorString");
  }

 private:
  template <class F>
  void find(F*& function, const char* name) {
    function = library->function<F>(name);
  }
};

Api open_driver() {
  for (const char* name : {"libcuda.so.1", "libcuda.so"})
    if (auto library = compilers::Library::try_open(name)) return Api(library);
  fail("[cuda] no NVIDIA driver (libcuda.so.1) on this machine; choose Backend::cpu");
}

class CudaModule;

class CudaDevice : public GpuDevice {
 public:
  CudaDevice() : api_(open_driver()) {
    check(api_.init(0), "the driver does not start");
    int count = 0;
    check(api_.get_count(&count), "the driver lists no devices");
    if (count == 0) fail("[cuda] there is a driver but no GPU; choose Backend::cpu");
    DeviceNumber device;
    check(api_.get_device(&device, 0), "no first device");
    char name[128] = "";
    api_.get_name(name, sizeof name, device);
    name_ = name;
    int major = 0, minor = 0;
    api_.get_attribute(&major, kMajor, device);
    api_.get_attribute(&minor, kMinor, device);
    architecture_ = cat("sm_", major, minor);
    std::size_t bytes = 0;
    api_.total_memory(&bytes, device);
    memory_ = static_cast<int64_t>(bytes);
    check(api_.retain_context(&context_, device), "no context");
  }

  std::string name() const override { return name_; }
  std::string architecture() const override { return architecture_; }
  int64_t memory() const override { return memory_; }

  void* allocate(std::size_t bytes) override {
    enter();
    Address address = 0;
    Result result = api_.allocate(&address, bytes);
    if (result == kOutOfMemory)
      fail("[cuda] out of memory on ", name_, ": a buffer of ", bytes, " bytes; lower config().memory_budget or run fewer frames");
    check(result, "no memory");
    check(api_.fill(address, 0, bytes), "memory cannot be cleared");
    return to_pointer(address);
  }
  void release(void* memory) noexcept override {
    api_.set_context(context_);
    api_.release(to_address(memory));
  }
  // Overlapping copies go through another place.
  void copy(void* to, const void* from, std::size_t bytes) override {
    if (bytes == 0 || to == from) return;
    enter();
    Address target = to_address(to), source = to_address(from);
    if (std::max(target, source) - std::min(target, source) < bytes) {
      if (bounce_.bytes() < bytes) bounce_ = Block(*this, bytes);
      check(api_.copy(to_address(bounce_.at(0)), source, bytes), "a copy failed");
      source = to_address(bounce_.at(0));
    }
    check(api_.copy(target, source, bytes), "a copy failed");
  }
  void upload(void* to, const void* from, std::size_t bytes) override {
    enter();
    if (bytes > 0) check(api_.upload(to_address(to), from, bytes), "an upload failed");
  }
  void download(void* to, const void* from, std::size_t bytes) override {
    enter();
    if (bytes > 0) check(api_.download(to, to_address(from), bytes), "a download failed");
  }
  void clear(void* memory, std::size_t bytes) override {
    enter();
    if (bytes > 0) check(api_.fill(to_address(memory), 0, bytes), "memory cannot be cleared");
  }
  void launch(const Launch& l) override {
    enter();
    void* parameters[kMostParameters];
    std::size_t n = 0;
    DGEN_ASSERT(l.arrays.size() + l.numbers.size() <= kMostParameters);
    for (void* const& array : l.arrays) parameters[n++] = const_cast<void**>(&array);
    for (const long& number : l.numbers) parameters[n++] = const_cast<long*>(&number);
    check(api_.launch(static_cast<Function>(l.kernel), static_cast<unsigned>(l.shape.groups), 1, 1, static_cast<unsigned>(l.shape.threads),
                      1, 1, 0, nullptr, parameters, nullptr),
          "a kernel cannot be launched");
  }
  void wait() override {
    enter();
    check(api_.synchronize(), "a kernel failed");
  }
  std::unique_ptr<Module> load(const std::string& cubin) override;

  void check(Result result, const char* what) const {
    if (result == 0) return;
    const char* text = nullptr;
    api_.error_text(result, &text);
    fail("[cuda] ", what, ": ", text ? text : "unknown error", " (", result, ")");
  }
  const Api& api() const { return api_; }
  // The context belongs to a thread at a time.
  void enter() const { check(api_.set_context(context_), "no context"); }

 private:
  static Address to_address(const void* memory) { return reinterpret_cast<Address>(memory); }
  static void* to_pointer(Address address) { return reinterpret_cast<void*>(address); }

  Api api_;
  std::string name_, architecture_;
  int64_t memory_ = 0;
  Context context_ = nullptr;
  Block bounce_;
};

class CudaModule : public Module {
 public:
  CudaModule(const CudaDevice& device, const std::string& cubin) : device_(device) {
    device.enter();
    device.check(device.api().load_module(&module_, cubin.data()), "a kernel cannot be loaded");
  }
  ~CudaModule() override { device_.api().unload_module(module_); }

  void* kernel(const std::string& name) const override {
    Function function = nullptr;
    device_.check(device_.api().get_function(&function, module_, name.c_str()), "a kernel is missing");
    return function;
  }

 private:
  const CudaDevice& device_;
  ModuleHandle module_ = nullptr;
};

std::unique_ptr<Module> CudaDevice::load(const std::string& cubin) { return std::make_unique<CudaModule>(*this, cubin); }

}  // namespace

// Never destroyed: the driver may be gone before static destructors run.
GpuDevice& cuda_device() {
  static CudaDevice* device = new CudaDevice;
  return *device;
}

bool has_cuda_device() {
  static const bool has = [] {
    try {
      cuda_device();
      return true;
    } catch (const Error&) {
      return false;
    }
  }();
  return has;
}

}  // namespace dgen::runtime
