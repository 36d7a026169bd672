#include "actors/internal_client.hpp"

#include <caf/actor_cast.hpp>
#include <caf/send.hpp>

namespace vagus {

namespace {

/// Slots are not used again, so that one generation is enough.
constexpr uint32_t generation = 1;

}  // namespace

internal_client::internal_client(loop_context& context, uint64_t id)
    : context_{context}, endpoint_{new endpoint{id, context.loops}} {
  endpoint_->headers = true;
}

internal_client::~internal_client() = default;

void internal_client::start(const subscriber_actor& self, manner how) {
  self_ = self;
  endpoint_->lossless = how.lossless;
  endpoint_->serves_loop = how.one_per_loop ? static_cast<int>(context_.loop.index()) : -1;
  endpoint_->actor = caf::actor_cast<caf::strong_actor_ptr>(self);
}

void internal_client::subscribe(uint32_t slot, std::string_view subject, std::string_view queue) {
  subjects_.emplace(slot, subscribed{std::string{subject}, std::string{queue}});
  change(true, slot, subject, queue);
}

void internal_client::change(bool add, uint32_t slot, std::string_view subject,
                             std::string_view queue) {
  if (!changes_) changes_ = interest_changes_ptr{new interest_changes{endpoint_}};
  changes_->push({add, slot, generation, subject, queue, "1"});
  ++asked_;
}

void internal_client::unsubscribe(uint32_t slot) {
  auto at = subjects_.find(slot);
  change(false, slot, at->second.subject, at->second.queue);
  subjects_.erase(at);
}

void internal_client::subscribe_unlisted(uint32_t slot, std::string_view subject) {
  change(true, slot, subject, {});
}

void internal_client::unsubscribe_unlisted(uint32_t slot, std::string_view subject) {
  change(false, slot, subject, {});
}

void internal_client::send_changes() {
  if (!changes_) return;
  caf::anon_send(context_.global.space, std::move(changes_), self_);
  changes_ = nullptr;
}

void internal_client::withdraw() {
  endpoint_->closing = true;
  step_back();
}

void internal_client::step_back() {
  if (!changes_) changes_ = interest_changes_ptr{new interest_changes{endpoint_}};
  while (!subjects_.empty()) unsubscribe(subjects_.begin()->first);
  changes_->last = true;
  send_changes();
  self_ = nullptr;
}

void internal_client::take(const frame_batch& batch) {
  context_.counters.pending.fetch_add(static_cast<int64_t>(batch.total()),
                                      std::memory_order_relaxed);
}

void internal_client::release(size_t bytes) {
  endpoint_->pending.fetch_sub(static_cast<int64_t>(bytes), std::memory_order_relaxed);
  context_.counters.pending.fetch_sub(static_cast<int64_t>(bytes), std::memory_order_relaxed);
}

bool internal_client::below_low_water() const {
  return endpoint_->pending.load(std::memory_order_relaxed) <=
         context_.current->opts.max_pending / 32;
}

publishing::~publishing() {
  static thread_local std::vector<router::pressure> over;
  over.clear();
  context_.routes.flush(nullptr, context_.loop, INT64_MAX, over);
}

}  // namespace vagus
