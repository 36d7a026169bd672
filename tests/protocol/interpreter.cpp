#include "tests/protocol/interpreter.hpp"

#include "tests/protocol/json_checks.hpp"

#include <regex>
#include <utility>

namespace vagus::test {
namespace {

// Cuts the first word off.
std::pair<std::string, std::string> cut(const std::string& line) {
  const auto end = line.find_first_of(" \t");
  if (end == std::string::npos) return {line, ""};
  return {line.substr(0, end), std::string{trim(std::string_view{line}.substr(end))}};
}

}  // namespace

const std::map<std::string, interpreter::command>& interpreter::commands() {
  using self = interpreter;
  static const std::map<std::string, command> table{
      {"flags", &self::flags},       {"config", &self::config},  {"|", &self::config},
      {"let", &self::let},           {"start", &self::start},    {"stop", &self::stop},
      {"signal", &self::signal},     {"exits", &self::exits},    {"log", &self::log},
      {"unlogged", &self::unlogged}, {"run", &self::run_binary}, {"output", &self::output},
      {"file", &self::file},         {"gone", &self::gone},      {"http", &self::http},
      {"status", &self::status},     {"header", &self::header},  {"body", &self::body},
      {"json", &self::json},         {"open", &self::open},      {"dial", &self::dial},
      {"client", &self::client},     {"share", &self::share}};
  return table;
}

const std::map<std::string, interpreter::command>& interpreter::connection_commands() {
  using self = interpreter;
  static const std::map<std::string, command> table{
      {">", &self::send},           {"<", &self::expect},
      {"~", &self::expect_line},    {"info", &self::expect_info},
      {"skip", &self::skip},        {"silent", &self::silent},
      {"closed", &self::closed},    {"drained", &self::drained},
      {"close", &self::close},      {"reset", &self::reset},
      {"ask", &self::ask},          {"answer", &self::answer},
      {"json", &self::answer_json}, {"half-close", &self::half_close}};
  return table;
}

interpreter::interpreter(std::string binary, bool bytewise)
    : binary_{std::move(binary)}, bytewise_{bytewise} {
  variables_["dir"] = dir_.path();
  options_.binary = binary_;
}

void interpreter::run(const script& lines) {
  for (const auto& line : lines.lines) {
    try {
      step(line);
    } catch (const std::exception& e) {
      const auto server_log = server_ ? "\n  the server's log:\n" + server_->log() : "";
      throw failure{lines.path + ":" + std::to_string(line.number) + ": " + line.text +
                    (bytewise_ ? "  (one byte at a time)" : "") + "\n  " + e.what() + server_log};
    }
  }
  try {
    flush_unordered();
    stop("");
  } catch (const std::exception& e) {
    throw failure{lines.path + ": at the end: " + e.what()};
  }
}

void interpreter::step(const script_line& line) {
  const auto [word, rest] = cut(line.text);
  if (const auto it = commands().find(word); it != commands().end()) {
    flush_unordered();
    (this->*it->second)(rest);
  } else {
    connection_step(word, rest);
  }
}

void interpreter::connection_step(const std::string& name, const std::string& rest) {
  auto [word, arguments] = cut(rest);
  if (word == "<*") {
    if (name != unordered_connection_) flush_unordered();
    unordered_connection_ = name;
    unordered_.push_back(bytes(arguments));
    return;
  }
  flush_unordered();
  const auto it = connection_commands().find(word);
  if (it == connection_commands().end()) throw failure{"no such command"};
  current_ = name;
  (this->*it->second)(arguments);
}

// The pending `<*` lines, each exactly once, in any order.
void interpreter::flush_unordered() {
  auto pending = std::exchange(unordered_, {});
  if (pending.empty()) return;
  auto& from = connection(unordered_connection_);
  const auto deadline = raw_connection::clock::now() + patience;
  while (!pending.empty()) {
    const auto it = std::find_if(pending.begin(), pending.end(), [&](const std::string& p) {
      return from.received().starts_with(p);
    });
    if (it != pending.end()) {
      from.received().erase(0, it->size());
      pending.erase(it);
    } else if (!from.fill(deadline)) {
      throw failure{unordered_connection_ + " still waits for " + printable(pending.front()) +
                    " (and " + std::to_string(pending.size() - 1) + " others), got " +
                    printable(from.received())};
    }
  }
}

server_process& interpreter::server() {
  if (!server_) start("");
  return *server_;
}

raw_connection& interpreter::connection(const std::string& name) {
  const auto it = connections_.find(name);
  if (it == connections_.end()) throw failure{"no connection " + name};
  return it->second;
}

void interpreter::open(const std::string& arguments) {
  for (const auto& name : words(arguments)) {
    dial(name);
    current_ = name;
    expect_info("server_id:string version:string proto=1 max_payload:number client_id:number");
  }
}

void interpreter::dial(const std::string& arguments) {
  for (const auto& name : words(arguments)) {
    if (commands().contains(name)) throw failure{name + " is a command, not a name"};
    connections_.insert_or_assign(name, raw_connection{server().port()});
  }
}

void interpreter::client(const std::string& arguments) {
  for (const auto& name : words(arguments)) {
    if (commands().contains(name)) throw failure{name + " is a command, not a name"};
    connections_.insert_or_assign(name, connect_client(server().port()));
  }
}

// share COUNT NAME... < BYTES
void interpreter::share(const std::string& arguments) {
  const auto sign = arguments.find('<');
  const auto list = words(arguments.substr(0, sign));
  const auto message = bytes(std::string{trim(std::string_view{arguments}.substr(sign + 1))});
  auto left = std::stoul(list.at(0));
  std::map<std::string, size_t> got;
  const bool all_came = eventually([&] {
    for (size_t i = 1; i < list.size(); ++i) {
      auto& from = connection(list[i]);
      from.fill(raw_connection::clock::now());
      for (; left > 0 && from.received().starts_with(message); --left) {
        from.received().erase(0, message.size());
        ++got[list[i]];
      }
    }
    return left == 0;
  });
  if (!all_came) throw failure{std::to_string(left) + " did not come"};
  if (got.size() != list.size() - 1) throw failure{"one of them got nothing"};
}

void interpreter::send(const std::string& arguments) {
  auto& to = connection(current_);
  bytewise_ ? to.send_bytewise(bytes(arguments)) : to.send(bytes(arguments));
}

void interpreter::expect(const std::string& arguments) {
  connection(current_).expect(bytes(arguments));
}

void interpreter::expect_line(const std::string& arguments) {
  const auto line = connection(current_).read_line();
  if (!std::regex_match(line, std::regex{arguments})) throw failure{"got " + printable(line)};
}

void interpreter::expect_info(const std::string& arguments) {
  const auto line = connection(current_).read_line();
  if (!line.starts_with("INFO {")) throw failure{"got " + printable(line)};
  const auto info = nlohmann::json::parse(line.substr(5));
  check_json(info, substitute(arguments, variables_));
}

void interpreter::skip(const std::string& arguments) {
  connection(current_).skip_past(bytes(arguments));
}

void interpreter::silent(const std::string&) {
  connection(current_).barrier();
}
void interpreter::closed(const std::string&) {
  connection(current_).expect_closed();
}
void interpreter::close(const std::string&) {
  connection(current_).close();
}
void interpreter::reset(const std::string&) {
  connection(current_).reset();
}
void interpreter::half_close(const std::string&) {
  connection(current_).half_close();
}

void interpreter::drained(const std::string& arguments) {
  const auto last = connection(current_).drain_to_end();
  if (!last.ends_with(bytes(arguments))) throw failure{"it ended with " + printable(last)};
}

}  // namespace vagus::test
