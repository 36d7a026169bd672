#include "tests/clients/c/client.hpp"

#include <stdexcept>
#include <thread>

namespace vagus::clients {

void must(natsStatus status) {
  if (status == NATS_OK) return;
  const char* detail = nats_GetLastError(nullptr);
  throw std::runtime_error(std::string(natsStatus_GetText(status)) + ": " +
                           (detail == nullptr ? "" : detail));
}

bool eventually(const std::function<bool()>& condition) {
  auto deadline = std::chrono::steady_clock::now() + std::chrono::milliseconds(patience_ms);
  while (!condition()) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  return true;
}

options make_options(const std::string& url) {
  natsOptions* raw = nullptr;
  must(natsOptions_Create(&raw));
  options made(raw);
  must(natsOptions_SetURL(raw, url.c_str()));
  must(natsOptions_SetTimeout(raw, patience_ms));
  must(natsOptions_SetReconnectWait(raw, 20));
  must(natsOptions_SetReconnectJitter(raw, 5, 5));
  must(natsOptions_SetMaxReconnect(raw, 1000));
  return made;
}

message make_message(const std::string& subject, std::string_view payload) {
  natsMsg* raw = nullptr;
  must(natsMsg_Create(&raw, subject.c_str(), nullptr, payload.data(),
                      static_cast<int>(payload.size())));
  return message(raw);
}

std::string payload_of(const message& m) {
  return {natsMsg_GetData(m.get()), static_cast<size_t>(natsMsg_GetDataLength(m.get()))};
}

std::string subject_of(const message& m) {
  return natsMsg_GetSubject(m.get());
}

std::string header_of(const message& m, const char* key) {
  const char* value = nullptr;
  return natsMsgHeader_Get(m.get(), key, &value) == NATS_OK ? value : "(none)";
}

std::vector<std::string> headers_of(const message& m, const char* key) {
  const char** values = nullptr;
  int count = 0;
  if (natsMsgHeader_Values(m.get(), key, &values, &count) != NATS_OK) return {};
  std::vector<std::string> result(values, values + count);
  free(values);
  return result;
}

message subscription::next() const {
  natsMsg* raw = nullptr;
  must(natsSubscription_NextMsg(&raw, raw_.get(), patience_ms));
  return message(raw);
}

std::vector<std::string> subscription::next_payloads(int count) const {
  std::vector<std::string> result;
  for (int i = 0; i < count; ++i) result.push_back(next_payload());
  return result;
}

uint64_t subscription::queued() const {
  uint64_t count = 0;
  must(natsSubscription_QueuedMsgs(raw_.get(), &count));
  return count;
}

client::client(options with) {
  auto on_disconnected = [](natsConnection*, void* e) { ++static_cast<events*>(e)->disconnected; };
  auto on_reconnected = [](natsConnection*, void* e) { ++static_cast<events*>(e)->reconnected; };
  auto on_closed = [](natsConnection*, void* e) { ++static_cast<events*>(e)->closed; };
  auto on_error = [](natsConnection*, natsSubscription*, natsStatus status, void* e) {
    static_cast<events*>(e)->last_error = status;
    ++static_cast<events*>(e)->errors;
  };
  must(natsOptions_SetDisconnectedCB(with.get(), on_disconnected, events_.get()));
  must(natsOptions_SetReconnectedCB(with.get(), on_reconnected, events_.get()));
  must(natsOptions_SetClosedCB(with.get(), on_closed, events_.get()));
  must(natsOptions_SetErrorHandler(with.get(), on_error, events_.get()));
  natsConnection* raw = nullptr;
  must(natsConnection_Connect(&raw, with.get()));
  raw_.reset(raw);
}

client::~client() {
  natsConnection_Close(raw());
  // The callback of the close is the last one; after it the counters may go.
  eventually([this] { return events_->closed > 0; });
}

subscription client::subscribe(const std::string& subject) const {
  natsSubscription* raw = nullptr;
  must(natsConnection_SubscribeSync(&raw, raw_.get(), subject.c_str()));
  subscription made(raw);
  must(natsSubscription_SetPendingLimits(raw, -1, -1));
  return made;
}

subscription client::subscribe(const std::string& subject, const std::string& queue) const {
  natsSubscription* raw = nullptr;
  must(natsConnection_QueueSubscribeSync(&raw, raw_.get(), subject.c_str(), queue.c_str()));
  subscription made(raw);
  must(natsSubscription_SetPendingLimits(raw, -1, -1));
  return made;
}

void client::publish(const std::string& subject, std::string_view payload) const {
  must(natsConnection_Publish(raw(), subject.c_str(), payload.data(),
                              static_cast<int>(payload.size())));
}

void client::publish(const message& m) const {
  must(natsConnection_PublishMsg(raw(), m.get()));
}

void client::flush() const {
  must(natsConnection_FlushTimeout(raw(), patience_ms));
}

message client::request(const std::string& subject, std::string_view payload) const {
  natsMsg* reply = nullptr;
  must(natsConnection_Request(&reply, raw(), subject.c_str(), payload.data(),
                              static_cast<int>(payload.size()), patience_ms));
  return message(reply);
}

natsStatus client::try_request(const std::string& subject, int64_t limit_ms) const {
  natsMsg* reply = nullptr;
  auto status = natsConnection_RequestString(&reply, raw(), subject.c_str(), "", limit_ms);
  natsMsg_Destroy(reply);
  return status;
}

uint64_t client::received() const {
  natsStatistics* counts = nullptr;
  must(natsStatistics_Create(&counts));
  uint64_t messages = 0;
  natsConnection_GetStats(raw(), counts);
  natsStatistics_GetCounts(counts, &messages, nullptr, nullptr, nullptr, nullptr);
  natsStatistics_Destroy(counts);
  return messages;
}

handler::handler(const client& on, const std::string& subject, function answer,
                 const std::string& queue)
    : answer_(std::move(answer)) {
  if (queue.empty()) {
    must(natsConnection_Subscribe(&raw_, on.raw(), subject.c_str(), on_message, this));
  } else {
    must(natsConnection_QueueSubscribe(&raw_, on.raw(), subject.c_str(), queue.c_str(), on_message,
                                       this));
  }
  auto on_complete = [](void* self) { static_cast<handler*>(self)->completed_ = true; };
  must(natsSubscription_SetOnCompleteCB(raw_, on_complete, this));
  must(natsSubscription_SetPendingLimits(raw_, -1, -1));
  on.flush();
}

handler::~handler() {
  natsSubscription_Unsubscribe(raw_);
  eventually([this] { return completed_.load(); });
  natsSubscription_Destroy(raw_);
}

void handler::on_message(natsConnection* nc, natsSubscription*, natsMsg* m, void* self) {
  message owned(m);
  auto& h = *static_cast<handler*>(self);
  auto answer = h.answer_(m);
  const char* reply = natsMsg_GetReply(m);
  if (answer && reply != nullptr) {
    natsConnection_Publish(nc, reply, answer->data(), static_cast<int>(answer->size()));
  }
  ++h.handled_;
}

}  // namespace vagus::clients
