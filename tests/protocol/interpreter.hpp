#pragma once

#include "tests/protocol/script.hpp"
#include "tests/support/http_get.hpp"
#include "tests/support/raw_connection.hpp"
#include "tests/support/server_process.hpp"

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace vagus::test {

/// Runs one wire script against one server binary. README.md describes the language; each of its
/// commands is one member function here. Throws `failure` naming the line.
class interpreter {
public:
  interpreter(std::string binary, bool bytewise);
  void run(const script& lines);

private:
  using command = void (interpreter::*)(const std::string& arguments);
  static const std::map<std::string, command>& commands();
  static const std::map<std::string, command>& connection_commands();

  void step(const script_line& line);
  void connection_step(const std::string& name, const std::string& rest);

  // Server
  void flags(const std::string& arguments);
  void config(const std::string& arguments);
  void start(const std::string& arguments);
  void stop(const std::string& arguments);
  void signal(const std::string& arguments);
  void exits(const std::string& arguments);
  void log(const std::string& arguments);
  void unlogged(const std::string& arguments);
  void run_binary(const std::string& arguments);
  void output(const std::string& arguments);
  void file(const std::string& arguments);
  void gone(const std::string& arguments);
  void let(const std::string& arguments);

  // Monitoring
  void http(const std::string& arguments);
  void status(const std::string& arguments);
  void header(const std::string& arguments);
  void body(const std::string& arguments);
  void json(const std::string& arguments);

  // Connections
  void open(const std::string& arguments);
  void dial(const std::string& arguments);
  void client(const std::string& arguments);
  void share(const std::string& arguments);
  void send(const std::string& arguments);
  void expect(const std::string& arguments);
  void expect_line(const std::string& arguments);
  void expect_info(const std::string& arguments);
  void skip(const std::string& arguments);
  void silent(const std::string& arguments);
  void closed(const std::string& arguments);
  void drained(const std::string& arguments);
  void close(const std::string& arguments);
  void reset(const std::string& arguments);
  void half_close(const std::string& arguments);

  // Messages
  void ask(const std::string& arguments);
  void answer(const std::string& arguments);
  void answer_json(const std::string& arguments);
  /// The next message of the current connection: its header block and its payload.
  std::pair<std::string, std::string> next_message();

  void flush_unordered();
  server_process& server();
  raw_connection& connection(const std::string& name);
  std::string bytes(const std::string& text) const { return unescape(text, variables_); }
  /// `~ REGEX` keeps its backslashes, a plain text has the script's escapes.
  std::string pattern_of(const std::string& arguments) const;
  /// Repeats the last HTTP request until `check` does not throw, or for good.
  void recheck(const std::function<void()>& check);

  std::string binary_;
  bool bytewise_;
  temp_dir dir_;
  variables variables_;
  server_options options_;
  std::unique_ptr<server_process> server_;
  std::unique_ptr<child_process> program_;  ///< the last `run`
  std::map<std::string, raw_connection> connections_;
  std::string current_;  ///< the connection that the line is about
  std::string unordered_connection_;
  std::vector<std::string> unordered_;  ///< pending `<*` lines
  std::string request_;
  http_response response_;
};

}  // namespace vagus::test
