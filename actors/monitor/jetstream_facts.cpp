#include "actors/monitor/jetstream_facts.hpp"

#include "actors/jetstream/metadata.hpp"
#include "actors/jetstream/stream_info.hpp"
#include "actors/monitor/texts.hpp"

namespace vagus {

namespace {

void count(const stream_record::view& stream, jetstream_usage& into) {
  bool memory = stream.config->storage == storage_type::memory;
  (memory ? into.memory : into.storage) += stream.state.bytes;
  if (stream.config->max_bytes > 0)
    (memory ? into.reserved_memory : into.reserved_storage) +=
        static_cast<uint64_t>(stream.config->max_bytes);
}

stream_view describe(const std::string& name, const stream_record& record,
                     const stream_record::view& stream) {
  std::chrono::system_clock::time_point created{std::chrono::nanoseconds{record.created_ns}};
  stream_view view;
  view.name = name;
  view.created = time_text(created);
  view.config = to_json(*stream.config, true);
  view.state = to_json(stream.state, {}, static_cast<int64_t>(stream.consumers));
  return view;
}

}  // namespace

jetstream_view_ptr look_at(const jetstream_context* js, const options& opts) {
  if (js == nullptr) return nullptr;
  auto view = std::make_shared<jetstream_view>();
  view->enabled = true;
  view->max_memory = js->max_memory;
  view->max_storage = js->max_storage;
  view->store_dir = js->store_dir.string();
  view->sync_interval = js->sync_interval;
  view->strict = js->strict;
  view->domain = js->domain;
  view->max_request_batch = opts.js_max_request_batch;
  view->max_ack_pending = opts.js_max_ack_pending;
  view->max_duplicate_window = opts.js_duplicate_window;
  view->default_max_consumers = opts.js_default_max_consumers;
  view->api_level = js_api_level;
  jetstream_account_view account;
  account.name = "$G";
  for (const auto& [name, record] : js->streams.list()) {
    auto stream = record->look();
    count(stream, account.usage);
    ++view->streams;
    view->consumers += stream.consumers;
    view->messages += stream.state.msgs;
    view->bytes += stream.state.bytes;
    account.streams.push_back(describe(name, *record, stream));
  }
  account.usage.api_total = js->api_total;
  account.usage.api_errors = js->api_errors;
  view->usage = account.usage;
  view->accounts.push_back(std::move(account));
  return view;
}

}  // namespace vagus
