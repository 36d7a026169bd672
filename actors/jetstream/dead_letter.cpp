#include "actors/jetstream/dead_letter.hpp"

#include "net/subject.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace vagus {

namespace {

/// Headers by which a publisher tells a stream how to store a message.
bool says_how_to_store(std::string_view line) {
  for (std::string_view name :
       {"Nats-Msg-Id:", "Nats-Expected-", "Nats-Rollup:", "Nats-TTL:", "Nats-Schedule"})
    if (line.starts_with(name)) return true;
  return false;
}

/// A client's words, in one line.
std::string one_line(std::string_view text) {
  std::string line{text};
  std::replace_if(
      line.begin(), line.end(), [](char c) { return c == '\r' || c == '\n'; }, ' ');
  return line;
}

}  // namespace

std::string_view dead_letter_subject(const consumer_config& config) {
  auto at = config.metadata.find(std::string{dead_letter_key});
  return at == config.metadata.end() ? std::string_view{} : std::string_view{at->second};
}

std::optional<api_error> check_dead_letter(const consumer_config& config,
                                           const stream_config& stream) {
  auto subject = dead_letter_subject(config);
  if (!config.metadata.contains(std::string{dead_letter_key})) return std::nullopt;
  if (!valid_literal_subject(subject))
    return make_error(js_errc::consumer_create,
                      fmt::format("{} has to be a subject without wildcards", dead_letter_key));
  for (const auto& s : stream.subjects)
    if (subject_matches(s, subject))
      return make_error(
          js_errc::consumer_create,
          fmt::format("{} must not be a subject of the stream itself", dead_letter_key));
  return std::nullopt;
}

std::string dead_letter_headers(const dead_letter& of, const stored_message& m) {
  auto block = fmt::format(
      "NATS/1.0\r\nNats-Msg-Id: {0}.{1}.{2}\r\nVagus-Dead-Letter-Cause: {3}\r\n"
      "Vagus-Dead-Letter-Stream: {0}\r\nVagus-Dead-Letter-Consumer: {1}\r\n"
      "Vagus-Dead-Letter-Sequence: {2}\r\nVagus-Dead-Letter-Subject: {4}\r\n"
      "Vagus-Dead-Letter-Deliveries: {5}\r\n",
      of.stream, of.consumer, m.seq, of.cause, m.subject, of.deliveries);
  if (!of.reason.empty())
    block += fmt::format("Vagus-Dead-Letter-Reason: {}\r\n", one_line(of.reason));
  auto rest = m.headers.substr(std::min(m.headers.find("\r\n"), m.headers.size()));
  while (rest.starts_with("\r\n") && rest.size() > 2) {
    rest.remove_prefix(2);
    auto end = std::min(rest.find("\r\n"), rest.size());
    auto line = rest.substr(0, end);
    rest.remove_prefix(end);
    if (!line.empty() && !says_how_to_store(line)) block.append(line).append("\r\n");
  }
  return block + "\r\n";
}

}  // namespace vagus
