#pragma once

#include <boost/smart_ptr/intrusive_ptr.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <new>

namespace vagus {

/// A block of bytes with its reference count in front, in one allocation. Read buffers are filled
/// by one event loop and then only read, so that deliveries on any thread may point into them.
class buffer {
public:
  buffer(const buffer&) = delete;
  buffer& operator=(const buffer&) = delete;

  /// Never returns null; throws std::bad_alloc.
  static boost::intrusive_ptr<buffer> make(size_t capacity) {
    void* at = std::malloc(sizeof(buffer) + capacity);
    if (at == nullptr) throw std::bad_alloc{};
    return boost::intrusive_ptr<buffer>{new (at) buffer{capacity}};
  }

  char* data() { return reinterpret_cast<char*>(this + 1); }
  const char* data() const { return reinterpret_cast<const char*>(this + 1); }
  size_t capacity() const { return capacity_; }

  /// True while the caller's is the only reference: the bytes may be written again.
  bool unique() const { return refs_.load(std::memory_order_acquire) == 1; }

  friend void intrusive_ptr_add_ref(buffer* b) { b->refs_.fetch_add(1, std::memory_order_relaxed); }
  friend void intrusive_ptr_release(buffer* b) {
    if (b->refs_.fetch_sub(1, std::memory_order_acq_rel) == 1) {
      b->~buffer();
      std::free(b);
    }
  }

private:
  explicit buffer(size_t capacity) : capacity_{capacity} {}
  ~buffer() = default;

  std::atomic<uint32_t> refs_{0};
  size_t capacity_;
};

using buffer_ptr = boost::intrusive_ptr<buffer>;

}  // namespace vagus
