#include "tests/durability/kill_wire.hpp"

namespace vagus::test {

namespace {

constexpr std::string_view inbox = "_INBOX.kill.ask.";

}  // namespace

std::string delivered::header(std::string_view name) const {
  const std::string key = "\r\n" + std::string{name} + ": ";
  const auto at = headers.find(key);
  if (at == std::string::npos) return {};
  const auto from = at + key.size();
  return headers.substr(from, headers.find("\r\n", from) - from);
}

nlohmann::json delivered::json() const {
  auto parsed = nlohmann::json::parse(payload, nullptr, false);
  if (parsed.is_discarded()) throw failure{"not JSON: " + printable(headers + payload)};
  return parsed;
}

std::optional<delivered> take_message(raw_connection& link) {
  auto& buffer = link.received();
  for (;;) {
    const auto end = buffer.find("\r\n");
    if (end == std::string::npos) return {};
    const auto line = buffer.substr(0, end);
    if (line.starts_with("-ERR")) throw failure{"the server says " + line};
    if (!line.starts_with("MSG ") && !line.starts_with("HMSG ")) {
      buffer.erase(0, end + 2);
      if (line == "PING") link.send("PONG\r\n");
      continue;
    }
    const auto parts = words(line);
    const auto total = std::stoul(parts.back());
    const bool has_headers = line.front() == 'H';
    const auto headers = has_headers ? std::stoul(parts[parts.size() - 2]) : 0;
    if (buffer.size() < end + 2 + total + 2) return {};
    delivered message{parts[1], buffer.substr(end + 2, headers),
                      buffer.substr(end + 2 + headers, total - headers),
                      parts.size() == (has_headers ? 6u : 5u) ? parts[3] : std::string{}};
    buffer.erase(0, end + 2 + total + 2);
    return message;
  }
}

std::optional<delivered> wait_message(raw_connection& link) {
  const auto deadline = raw_connection::clock::now() + 3 * patience;
  for (;;) {
    if (auto message = take_message(link)) return message;
    if (link.fill(deadline)) continue;
    if (link.closed()) return {};
    throw failure{"no answer; received " + printable(link.received())};
  }
}

std::string publish_frame(const std::string& subject, const std::string& reply,
                          const std::string& payload, const std::string& id) {
  const auto size = std::to_string(payload.size());
  if (id.empty()) return "PUB " + subject + " " + reply + " " + size + "\r\n" + payload + "\r\n";
  const auto headers = "NATS/1.0\r\nNats-Msg-Id: " + id + "\r\n\r\n";
  return "HPUB " + subject + " " + reply + " " + std::to_string(headers.size()) + " " +
         std::to_string(headers.size() + payload.size()) + "\r\n" + headers + payload + "\r\n";
}

asker::asker(int port) : link_{connect_client(port)} {
  link_.send("SUB " + std::string{inbox} + "* 1\r\n");
}

std::optional<delivered> asker::try_ask(const std::string& subject, const std::string& payload,
                                        const std::string& id) {
  const auto reply = std::string{inbox} + std::to_string(++token_);
  if (!link_.send(publish_frame(subject, reply, payload, id))) return {};
  auto answer = wait_message(link_);
  // What a pull request brings has the subject of the stream.
  if (answer && answer->subject != reply && answer->reply.empty())
    throw failure{"answer to another question: " + answer->subject};
  return answer;
}

delivered asker::ask(const std::string& subject, const std::string& payload,
                     const std::string& id) {
  auto answer = try_ask(subject, payload, id);
  if (!answer) throw failure{"the server closed instead of answering " + subject};
  return *std::move(answer);
}

nlohmann::json asker::api(const std::string& what, const std::string& payload) {
  const auto answer = ask("$JS.API." + what, payload);
  if (answer.payload.empty())
    throw failure{"nobody answers $JS.API." + what + ": " + answer.headers};
  return answer.json();
}

std::vector<delivered> asker::read_all(const std::string& stream, uint64_t first) {
  std::vector<delivered> all;
  for (;;) {
    const auto reply = std::string{inbox} + std::to_string(++token_);
    const auto from = "{\"batch\":500,\"seq\":" + std::to_string(first) + "}";
    link_.send(publish_frame("$JS.API.DIRECT.GET." + stream, reply, from, {}));
    const auto before = all.size();
    for (;;) {
      auto message = wait_message(link_);
      if (!message) throw failure{"the server closed while " + stream + " was read"};
      if (message->subject != reply) throw failure{"not of this batch: " + message->subject};
      if (message->headers.starts_with("NATS/1.0 404")) return all;
      if (message->headers.starts_with("NATS/1.0 204")) break;
      if (!message->headers.starts_with("NATS/1.0\r\n"))
        throw failure{"reading " + stream + ": " + printable(message->headers)};
      first = std::stoull(message->header("Nats-Sequence")) + 1;
      all.push_back(*std::move(message));
    }
    if (all.size() == before) return all;
  }
}

}  // namespace vagus::test
