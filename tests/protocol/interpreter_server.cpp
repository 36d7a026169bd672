// The commands about the server as a process and about its monitoring port.
#include "tests/protocol/interpreter.hpp"
#include "tests/protocol/json_checks.hpp"

#include <filesystem>
#include <fstream>
#include <regex>
#include <signal.h>

namespace vagus::test {
namespace {

bool found_in(const std::string& text, const std::string& pattern) {
  if (!pattern.starts_with("~")) return text.find(pattern) != std::string::npos;
  return std::regex_search(text,
                           std::regex{std::string{trim(std::string_view{pattern}.substr(1))}});
}

}  // namespace

void interpreter::flags(const std::string& arguments) {
  options_.flags = words(bytes(arguments));
}

// `config` begins a new file, each `|` line adds to it; a running server finds the change on disk.
void interpreter::config(const std::string& arguments) {
  if (arguments.empty()) {
    options_.config.clear();
    return;
  }
  options_.config += bytes(arguments) + "\n";
  std::ofstream{dir_.path() + "/server.conf"} << options_.config;
}

void interpreter::start(const std::string&) {
  server_ = std::make_unique<server_process>(options_, dir_.path());
  variables_["pid"] = std::to_string(server_->process().pid());
  variables_["port"] = std::to_string(server_->port());
  variables_["http_port"] = std::to_string(server_->http_port());
  variables_["ports_file"] = server_->ports_file();
}

void interpreter::stop(const std::string&) {
  if (server_) server_->stop();
  server_.reset();
  connections_.clear();
  options_.flags.clear();
  options_.config.clear();
}

void interpreter::signal(const std::string& arguments) {
  static const std::map<std::string, int> numbers{
      {"HUP", SIGHUP}, {"INT", SIGINT}, {"TERM", SIGTERM}, {"USR1", SIGUSR1}, {"USR2", SIGUSR2}};
  server().process().signal(numbers.at(arguments));
}

void interpreter::exits(const std::string& arguments) {
  const bool of_program = program_ != nullptr;
  const auto code = (of_program ? *program_ : server().process()).wait(3 * patience);
  if (!code) throw failure{"still running"};
  if (*code != std::stoi(arguments)) throw failure{"exit code " + std::to_string(*code)};
  of_program ? program_.reset() : server_.reset();
}

void interpreter::log(const std::string& arguments) {
  const auto pattern = pattern_of(arguments);
  if (!server().wait_log([&](const std::string& line) { return found_in(line, pattern); }))
    throw failure{"no such line in the log"};
}

void interpreter::unlogged(const std::string& arguments) {
  if (found_in(server().log(), pattern_of(arguments))) throw failure{"the log has it"};
}

std::string interpreter::pattern_of(const std::string& arguments) const {
  return arguments.starts_with("~") ? substitute(arguments, variables_) : bytes(arguments);
}

void interpreter::run_binary(const std::string& arguments) {
  auto line = words(bytes(arguments));
  line.insert(line.begin(), binary_);
  program_ = std::make_unique<child_process>(line, dir_.path() + "/output");
}

void interpreter::output(const std::string& arguments) {
  const auto text = read_file(dir_.path() + "/output");
  if (!found_in(text, pattern_of(arguments))) throw failure{"got " + printable(text)};
}

// file PATH TEXT | file PATH ~ REGEX: the whole content, sooner or later
void interpreter::file(const std::string& arguments) {
  const auto end = arguments.find(' ');
  const auto path = bytes(arguments.substr(0, end));
  const auto wanted = std::string{trim(arguments.substr(end))};
  std::string text;
  const bool same = eventually([&] {
    text = read_file(path);
    return wanted.starts_with("~")
               ? std::regex_match(text, std::regex{substitute(trim(wanted.substr(1)), variables_)})
               : text == bytes(wanted);
  });
  if (!same) throw failure{"it holds " + printable(text)};
}

void interpreter::gone(const std::string& arguments) {
  const auto path = bytes(arguments);
  if (!eventually([&] { return !std::filesystem::exists(path); })) throw failure{"still there"};
}

// let NAME BYTES
void interpreter::let(const std::string& arguments) {
  const auto end = arguments.find(' ');
  variables_[arguments.substr(0, end)] = bytes(std::string{trim(arguments.substr(end))});
}

void interpreter::http(const std::string& arguments) {
  request_ = bytes(arguments);
  response_ = http_get(server().http_port(), request_);
}

void interpreter::recheck(const std::function<void()>& check) {
  const auto deadline = raw_connection::clock::now() + patience;
  for (;;) {
    try {
      return check();
    } catch (const std::exception& e) {
      if (raw_connection::clock::now() > deadline)
        throw failure{std::string{e.what()} + "\n  body " + printable(response_.body, 2000)};
    }
    response_ = http_get(server().http_port(), request_);
  }
}

void interpreter::status(const std::string& arguments) {
  recheck([&] {
    if (response_.status != std::stoi(arguments))
      throw failure{"status " + std::to_string(response_.status)};
  });
}

// header NAME VALUE
void interpreter::header(const std::string& arguments) {
  const auto end = arguments.find(' ');
  const auto value = response_.headers[arguments.substr(0, end)];
  if (value != trim(arguments.substr(end))) throw failure{"it is " + value};
}

// body TEXT (the whole) | body ~ REGEX (somewhere)
void interpreter::body(const std::string& arguments) {
  const auto wanted = pattern_of(arguments);
  recheck([&] {
    const auto& text = response_.body;
    if (arguments.starts_with("~") ? !found_in(text, wanted) : text != wanted)
      throw failure{"another body"};
  });
}

void interpreter::json(const std::string& arguments) {
  recheck([&] {
    check_json(nlohmann::json::parse(response_.body), substitute(arguments, variables_));
  });
}

}  // namespace vagus::test
