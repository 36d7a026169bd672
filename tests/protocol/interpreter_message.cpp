// The commands about requests and their answers as messages: their sizes are counted here.
#include "tests/protocol/interpreter.hpp"
#include "tests/protocol/json_checks.hpp"

#include <regex>

namespace vagus::test {

// ask SUBJECT [PAYLOAD], ask SUBJECT [Name: value|Name: value] [PAYLOAD]: a request with the reply
// subject "reply", to which the script has subscribed.
void interpreter::ask(const std::string& arguments) {
  const auto end = arguments.find(' ');
  const auto subject = bytes(arguments.substr(0, end));
  auto rest = end == std::string::npos ? "" : std::string{trim(arguments.substr(end))};
  std::string block;
  if (rest.starts_with("[")) {
    const auto close = rest.find(']');
    block = "NATS/1.0\r\n" + bytes(rest.substr(1, close - 1)) + "\r\n\r\n";
    for (auto at = block.find('|'); at != std::string::npos; at = block.find('|', at))
      block.replace(at, 1, "\r\n");
    rest = std::string{trim(rest.substr(close + 1))};
  }
  const auto payload = bytes(rest);
  const auto size = std::to_string(block.size() + payload.size());
  const auto line = block.empty()
                        ? "PUB " + subject + " reply " + size
                        : "HPUB " + subject + " reply " + std::to_string(block.size()) + " " + size;
  auto& to = connection(current_);
  const auto request = line + "\r\n" + block + payload + "\r\n";
  bytewise_ ? to.send_bytewise(request) : to.send(request);
}

std::pair<std::string, std::string> interpreter::next_message() {
  auto& from = connection(current_);
  auto line = from.read_line();
  while (line == "PING") {
    from.send("PONG\r\n");
    line = from.read_line();
  }
  const bool with_headers = line.starts_with("HMSG ");
  if (!with_headers && !line.starts_with("MSG ")) throw failure{"got " + printable(line)};
  const auto parts = words(line);
  const auto size = std::stoul(parts.back());
  const auto headers = with_headers ? std::stoul(parts.at(parts.size() - 2)) : 0;
  const auto deadline = raw_connection::clock::now() + patience;
  while (from.received().size() < size + 2)
    if (!from.fill(deadline)) throw failure{"the message is not complete"};
  auto body = from.received().substr(0, size);
  from.received().erase(0, size + 2);
  return {body.substr(0, headers), body.substr(headers)};
}

// answer BYTES | answer ~ REGEX: headers and payload of the next message
void interpreter::answer(const std::string& arguments) {
  const auto [headers, payload] = next_message();
  const auto whole = headers + payload;
  const bool pattern = arguments.starts_with("~");
  const auto wanted = pattern ? substitute(trim(std::string_view{arguments}.substr(1)), variables_)
                              : bytes(arguments);
  if (pattern ? !std::regex_match(whole, std::regex{wanted}) : whole != wanted)
    throw failure{"got " + printable(whole, 2000)};
}

void interpreter::answer_json(const std::string& arguments) {
  const auto [headers, payload] = next_message();
  try {
    check_json(nlohmann::json::parse(payload), substitute(arguments, variables_));
  } catch (const std::exception& e) {
    throw failure{std::string{e.what()} + "\n  in " + printable(payload, 4000)};
  }
}

}  // namespace vagus::test
