#include "actors/jetstream/json_output.hpp"

#include "actors/jetstream/json_text.hpp"
#include "actors/jetstream/rfc3339.hpp"

namespace vagus {

void json_output::separate() {
  if (!first_) out_ += ',';
  first_ = false;
}

void json_output::key(std::string_view name) {
  separate();
  out_ += go_quoted(name);
  out_ += ':';
}

void json_output::begin(char bracket) {
  out_ += bracket;
  first_ = true;
}

void json_output::end(char bracket) {
  out_ += bracket;
  first_ = false;
}

void json_output::time(std::string_view name, const std::optional<int64_t>& x, when w) {
  if (w == when::not_empty && !x) return;
  key(name);
  value(rfc3339(x.value_or(zero_time)));
}

void json_output::value(std::string_view text) {
  out_ += go_quoted(text);
}

void json_output::value(retention_policy x) {
  switch (x) {
    case retention_policy::limits:
      return value(std::string_view{"limits"});
    case retention_policy::interest:
      return value(std::string_view{"interest"});
    case retention_policy::workqueue:
      return value(std::string_view{"workqueue"});
  }
}

void json_output::value(discard_policy x) {
  value(std::string_view{x == discard_policy::old_msgs ? "old" : "new"});
}

void json_output::value(storage_type x) {
  value(std::string_view{x == storage_type::memory ? "memory" : "file"});
}

void json_output::value(compression_type x) {
  value(std::string_view{x == compression_type::none ? "none" : "s2"});
}

void json_output::value(persist_mode_type x) {
  value(std::string_view{x == persist_mode_type::synced ? "default" : "async"});
}

void json_output::value(deliver_policy x) {
  switch (x) {
    case deliver_policy::all:
      return value(std::string_view{"all"});
    case deliver_policy::last:
      return value(std::string_view{"last"});
    case deliver_policy::new_msgs:
      return value(std::string_view{"new"});
    case deliver_policy::by_start_sequence:
      return value(std::string_view{"by_start_sequence"});
    case deliver_policy::by_start_time:
      return value(std::string_view{"by_start_time"});
    case deliver_policy::last_per_subject:
      return value(std::string_view{"last_per_subject"});
  }
}

void json_output::value(ack_policy x) {
  switch (x) {
    case ack_policy::none:
      return value(std::string_view{"none"});
    case ack_policy::all:
      return value(std::string_view{"all"});
    case ack_policy::explicit_acks:
      return value(std::string_view{"explicit"});
    case ack_policy::flow_control:
      return value(std::string_view{"flow_control"});
  }
}

void json_output::value(replay_policy x) {
  value(std::string_view{x == replay_policy::instant ? "instant" : "original"});
}

void json_output::value(priority_policy x) {
  switch (x) {
    case priority_policy::none:
      return value(std::string_view{"none"});
    case priority_policy::overflow:
      return value(std::string_view{"overflow"});
    case priority_policy::pinned_client:
      return value(std::string_view{"pinned_client"});
    case priority_policy::prioritized:
      return value(std::string_view{"prioritized"});
  }
}

}  // namespace vagus
