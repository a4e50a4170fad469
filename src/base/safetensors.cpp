#include "base/safetensors.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <limits>

#include "base/check.h"
#include "base/file.h"

static_assert(std::endian::native == std::endian::little, "tensors are stored as they lie in memory");

namespace dgen {
namespace {

constexpr size_t kMaxHeader = 100u << 20;
constexpr const char* kTypeNames[] = {"F32", "F64", "I64"};

// One entry of the header.
struct Entry {
  std::string name, type;
  std::vector<int64_t> shape;
  uint64_t begin = 0, end = 0;
};

// A parser for just the headers of this format: fixed nesting, so that no input makes it recurse.
class HeaderParser {
 public:
  explicit HeaderParser(std::string_view text) : text_(text) {}

  void parse(std::vector<Entry>& entries, std::map<std::string, std::string>& metadata) {
    object([&](std::string name) {
      if (name == "__metadata__") {
        object([&](std::string key) {
          if (!metadata.emplace(key, string()).second) fail("safetensors: duplicate metadata key \"", key, "\"");
        });
      } else {
        entries.push_back(entry(std::move(name)));
      }
    });
    skip_space();
    if (at_ != text_.size()) fault("text after the end");
  }

 private:
  [[noreturn]] void fault(const char* what) const { fail("safetensors: bad header at byte ", at_, ": ", what); }

  void skip_space() {
    while (at_ < text_.size() && std::strchr(" \t\r\n", text_[at_]) && text_[at_]) ++at_;
  }

  bool accept(char c) {
    skip_space();
    if (at_ >= text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }

  void expect(char c, const char* what) {
    if (!accept(c)) fault(what);
  }

  // { "key": member, ... }
  template <class F>
  void object(F&& member) {
    expect('{', "expected {");
    if (accept('}')) return;
    do {
      std::string key = string();
      expect(':', "expected :");
      member(std::move(key));
    } while (accept(','));
    expect('}', "expected , or }");
  }

  template <class F>
  void array(F&& element) {
    expect('[', "expected [");
    if (accept(']')) return;
    do element();
    while (accept(','));
    expect(']', "expected , or ]");
  }

  uint64_t number() {
    skip_space();
    const size_t start = at_;
    uint64_t value = 0;
    for (; at_ < text_.size() && text_[at_] >= '0' && text_[at_] <= '9'; ++at_) {
      const uint64_t digit = static_cast<uint64_t>(text_[at_] - '0');
      if (value > (static_cast<uint64_t>(std::numeric_limits<int64_t>::max()) - digit) / 10) fault("number too large");
      value = value * 10 + digit;
    }
    if (at_ == start) fault("expected a number");
    return value;
  }

  uint32_t hex4() {
    uint32_t code = 0;
    for (int i = 0; i < 4; ++i, ++at_) {
      const char* digits = "0123456789abcdef";
      const char c = at_ < text_.size() ? text_[at_] : '\0';
      const char* found = c ? std::strchr(digits, c >= 'A' && c <= 'F' ? c + 32 : c) : nullptr;
      if (!found) fault("bad \\u escape");
      code = code * 16 + static_cast<uint32_t>(found - digits);
    }
    return code;
  }

  void append_escape(std::string& out) {
    if (at_ >= text_.size()) fault("unfinished string");
    const char c = text_[at_++];
    static constexpr std::string_view from = "\"\\/bfnrt", to = "\"\\/\b\f\n\r\t";
    if (const size_t i = from.find(c); i != from.npos) {
      out += to[i];
      return;
    }
    if (c != 'u') fault("bad escape");
    uint32_t code = hex4();
    if (code >= 0xD800 && code < 0xDC00) {
      if (text_.substr(at_, 2) != "\\u") fault("half a surrogate pair");
      at_ += 2;
      const uint32_t low = hex4();
      if (low < 0xDC00 || low > 0xDFFF) fault("half a surrogate pair");
      code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
    } else if (code >= 0xDC00 && code < 0xE000) {
      fault("half a surrogate pair");
    }
    append_utf8(out, code);
  }

  static void append_utf8(std::string& out, uint32_t code) {
    const auto tail = [&](int shift) { out += static_cast<char>(0x80 | ((code >> shift) & 0x3F)); };
    if (code < 0x80) {
      out += static_cast<char>(code);
    } else if (code < 0x800) {
      out += static_cast<char>(0xC0 | (code >> 6));
      tail(0);
    } else if (code < 0x10000) {
      out += static_cast<char>(0xE0 | (code >> 12));
      tail(6), tail(0);
    } else {
      out += static_cast<char>(0xF0 | (code >> 18));
      tail(12), tail(6), tail(0);
    }
  }

  std::string string() {
    expect('"', "expected a string");
    std::string out;
    while (at_ < text_.size() && text_[at_] != '"') {
      const char c = text_[at_++];
      if (static_cast<unsigned char>(c) < 0x20) fault("control character in a string");
      if (c == '\\')
        append_escape(out);
      else
        out += c;
    }
    if (at_ >= text_.size()) fault("unfinished string");
    ++at_;
    return out;
  }

  Entry entry(std::string name) {
    Entry e{std::move(name), {}, {}, 0, 0};
    unsigned seen = 0;
    const auto once = [&](unsigned bit) {
      if (seen & bit) fault("duplicate key");
      seen |= bit;
    };
    object([&](const std::string& key) {
      if (key == "dtype") {
        once(1);
        e.type = string();
      } else if (key == "shape") {
        once(2);
        array([&] { e.shape.push_back(static_cast<int64_t>(number())); });
      } else if (key == "data_offsets") {
        once(4);
        std::vector<uint64_t> offsets;
        array([&] { offsets.push_back(number()); });
        if (offsets.size() != 2) fault("data_offsets needs two numbers");
        e.begin = offsets[0], e.end = offsets[1];
      } else {
        fault("unknown key");
      }
    });
    if (seen != 7) fail("safetensors: tensor \"", e.name, "\" lacks dtype, shape or data_offsets");
    return e;
  }

  std::string_view text_;
  size_t at_ = 0;
};

template <class T>
SafeTensor copy_out(const Entry& e, std::string_view data) {
  const uint64_t bytes = e.end - e.begin;
  uint64_t count = bytes / sizeof(T);
  if (bytes % sizeof(T)) fail("safetensors: tensor \"", e.name, "\" ends inside an element");
  // Divide instead of multiply: a product of hostile sizes would overflow.
  bool fits = true;
  if (std::count(e.shape.begin(), e.shape.end(), 0)) {
    fits = count == 0;
  } else {
    uint64_t left = count;
    for (const int64_t n : e.shape) {
      fits = fits && left % static_cast<uint64_t>(n) == 0;
      left /= static_cast<uint64_t>(n);
    }
    fits = fits && left == 1;
  }
  if (!fits) fail("safetensors: tensor \"", e.name, "\": its shape does not fit its ", bytes, " bytes");
  std::vector<T> values(count);
  if (count) std::memcpy(values.data(), data.data() + e.begin, bytes);
  return {e.shape, std::move(values)};
}

SafeTensor tensor(const Entry& e, std::string_view data) {
  if (e.type == kTypeNames[0]) return copy_out<float>(e, data);
  if (e.type == kTypeNames[1]) return copy_out<double>(e, data);
  if (e.type == kTypeNames[2]) return copy_out<int64_t>(e, data);
  fail("safetensors: tensor \"", e.name, "\": type ", e.type, " is not supported (F32, F64, I64 are)");
}

// Sorted by position, the tensors must cover the data without gap or overlap.
void check_cover(std::vector<Entry>& entries, uint64_t size) {
  std::sort(entries.begin(), entries.end(),
            [](const Entry& a, const Entry& b) { return a.begin != b.begin ? a.begin < b.begin : a.end < b.end; });
  uint64_t at = 0;
  for (const Entry& e : entries) {
    if (e.end < e.begin || e.end > size)
      fail("safetensors: tensor \"", e.name, "\" lies outside the file (bytes ", e.begin, " to ", e.end, " of ", size,
           ")");
    if (e.begin != at) fail("safetensors: tensor \"", e.name, "\" leaves a gap or overlaps another");
    at = e.end;
  }
  if (at != size) fail("safetensors: ", size - at, " bytes belong to no tensor");
}

void append_quoted(std::string& out, std::string_view text) {
  out += '"';
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      (out += '\\') += c;
    } else if (static_cast<unsigned char>(c) < 0x20) {
      const char* digits = "0123456789abcdef";
      out += "\\u00";
      (out += digits[c >> 4]) += digits[c & 15];
    } else {
      out += c;
    }
  }
  out += '"';
}

size_t byte_count(const SafeTensor& t) {
  return std::visit([](const auto& v) { return v.size() * sizeof(v[0]); }, t.data);
}

size_t element_count(const std::string& name, const SafeTensor& t) {
  size_t count = 1;
  for (const int64_t n : t.shape) {
    if (n < 0) fail("safetensors: tensor \"", name, "\" has a negative size");
    count *= static_cast<size_t>(n);
  }
  return count;
}

std::string header_text(const SafeFile& file) {
  std::string text = "{";
  if (!file.metadata.empty()) {
    text += "\"__metadata__\":{";
    for (const auto& [key, value] : file.metadata) {
      if (text.back() != '{') text += ',';
      append_quoted(text, key);
      text += ':';
      append_quoted(text, value);
    }
    text += '}';
  }
  size_t at = 0;
  for (const auto& [name, t] : file.tensors) {
    if (name == "__metadata__") fail("safetensors: no tensor may be called __metadata__");
    const size_t bytes = byte_count(t);
    const size_t held = std::visit([](const auto& v) { return v.size(); }, t.data);
    if (held != element_count(name, t)) fail("safetensors: tensor \"", name, "\": shape and data differ in size");
    if (text.size() > 1) text += ',';
    append_quoted(text, name);
    text += cat(":{\"dtype\":\"", kTypeNames[t.data.index()], "\",\"shape\":[");
    for (size_t i = 0; i < t.shape.size(); ++i) text += cat(i ? "," : "", t.shape[i]);
    text += cat("],\"data_offsets\":[", at, ",", at + bytes, "]}");
    at += bytes;
  }
  text += '}';
  text.resize((text.size() + 7) / 8 * 8, ' ');  // keeps the data aligned to eight bytes
  return text;
}

}  // namespace

template <class T>
const std::vector<T>& SafeFile::values(const std::string& name) const {
  const auto found = tensors.find(name);
  if (found == tensors.end()) fail("safetensors: no tensor \"", name, "\"");
  const auto* held = std::get_if<std::vector<T>>(&found->second.data);
  if (!held) fail("safetensors: tensor \"", name, "\" has type ", kTypeNames[found->second.data.index()]);
  return *held;
}
template const std::vector<float>& SafeFile::values(const std::string&) const;
template const std::vector<double>& SafeFile::values(const std::string&) const;
template const std::vector<int64_t>& SafeFile::values(const std::string&) const;

const std::string& SafeFile::meta(const std::string& key) const {
  const auto found = metadata.find(key);
  if (found == metadata.end()) fail("safetensors: no metadata \"", key, "\"");
  return found->second;
}

SafeFile parse_safetensors(std::string_view bytes) {
  uint64_t length = 0;
  if (bytes.size() < sizeof length) fail("safetensors: file of ", bytes.size(), " bytes is too short");
  std::memcpy(&length, bytes.data(), sizeof length);
  if (length > kMaxHeader || length > bytes.size() - sizeof length)
    fail("safetensors: header of ", length, " bytes in a file of ", bytes.size());
  SafeFile file;
  std::vector<Entry> entries;
  HeaderParser(bytes.substr(sizeof length, length)).parse(entries, file.metadata);
  const std::string_view data = bytes.substr(sizeof length + length);
  check_cover(entries, data.size());
  for (const Entry& e : entries)
    if (!file.tensors.emplace(e.name, tensor(e, data)).second) fail("safetensors: two tensors called \"", e.name, "\"");
  return file;
}

std::string encode_safetensors(const SafeFile& file) {
  const std::string header = header_text(file);
  const uint64_t length = header.size();
  std::string bytes(reinterpret_cast<const char*>(&length), sizeof length);
  bytes += header;
  for (const auto& [name, t] : file.tensors)
    std::visit([&](const auto& v) { bytes.append(reinterpret_cast<const char*>(v.data()), v.size() * sizeof(v[0])); },
               t.data);
  return bytes;
}

SafeFile read_safetensors(const std::filesystem::path& path) {
  const std::string bytes = read_file(path);
  try {
    return parse_safetensors(bytes);
  } catch (const Error& e) {
    fail(path.string(), ": ", e.what());
  }
}

void write_safetensors(const std::filesystem::path& path, const SafeFile& file) {
  write_file_atomic(path, encode_safetensors(file));
}

}  // namespace dgen
