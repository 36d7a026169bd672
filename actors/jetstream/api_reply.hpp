#pragma once

#include "actors/jetstream/api_error.hpp"

#include <fmt/format.h>

#include <string>
#include <string_view>

namespace vagus {

/// The start of every answer of the JetStream API: `{"type":"io.nats.jetstream.api.v1.<type>"`.
inline std::string api_reply_start(std::string_view type) {
  return fmt::format(R"({{"type":"io.nats.jetstream.api.v1.{}")", type);
}

/// What nats-server adds to an answer, even if that is an error.
inline std::string_view api_reply_rest(std::string_view type) {
  if (type == "stream_info_response") return R"(,"total":0,"offset":0,"limit":0)";
  if (type == "stream_restore_response") return R"(,"deliver_subject":"")";
  if (type == "consumer_pause_response")
    return R"(,"paused":false,"pause_until":"0001-01-01T00:00:00Z")";
  if (type == "stream_purge_response") return R"(,"purged":0)";
  if (type == "stream_names_response") return R"(,"total":0,"offset":0,"limit":0,"streams":null)";
  if (type == "stream_list_response") return R"(,"total":0,"offset":0,"limit":0,"streams":null)";
  if (type == "consumer_list_response" || type == "consumer_names_response")
    return R"(,"total":0,"offset":0,"limit":0,"consumers":[])";
  return {};
}

/// A whole answer that is an error.
inline std::string api_error_reply(std::string_view type, const api_error& why) {
  return fmt::format(R"({},"error":{}{}}})", api_reply_start(type), to_json(why),
                     api_reply_rest(type));
}

/// `{"type":...,"success":true}`.
inline std::string api_success_reply(std::string_view type) {
  return api_reply_start(type) + R"(,"success":true})";
}

}  // namespace vagus
