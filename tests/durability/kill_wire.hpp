#pragma once

#include "tests/support/raw_connection.hpp"

#include <nlohmann/json.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace vagus::test {

/// A message as it was received.
struct delivered {
  std::string subject;
  std::string headers;
  std::string payload;
  std::string reply;

  /// The value of a header, empty when it is not there.
  std::string header(std::string_view name) const;
  /// The payload as JSON; throws `failure` when it is none.
  nlohmann::json json() const;
};

/// The next complete message among what `link` has received, if any. PINGs are answered; an -ERR is
/// a `failure`.
std::optional<delivered> take_message(raw_connection& link);

/// Waits for it. Empty: the server has closed. Throws `failure` when nothing comes.
std::optional<delivered> wait_message(raw_connection& link);

/// A client that asks one question at a time.
class asker {
public:
  explicit asker(int port);

  /// Empty: the server has gone.
  std::optional<delivered> try_ask(const std::string& subject, const std::string& payload = {},
                                   const std::string& id = {});
  /// The same where the server has to be there.
  delivered ask(const std::string& subject, const std::string& payload = {},
                const std::string& id = {});
  nlohmann::json api(const std::string& what, const std::string& payload = {});

  /// A batched direct get from `first` on, up to the end of the stream.
  std::vector<delivered> read_all(const std::string& stream, uint64_t first);

private:
  raw_connection link_;
  uint64_t token_ = 0;
};

/// A PUB, or an HPUB with that `Nats-Msg-Id`.
std::string publish_frame(const std::string& subject, const std::string& reply,
                          const std::string& payload, const std::string& id);

}  // namespace vagus::test
