#pragma once

#include <chrono>
#include <map>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace vagus::test {

/// How long anything that must happen may take. Generous: it only bounds a failing test.
inline constexpr std::chrono::seconds patience{10};

/// What a test throws when an expectation does not hold; `what()` is for the reader of the log.
struct failure : std::runtime_error {
  using std::runtime_error::runtime_error;
};

using variables = std::map<std::string, std::string>;

/// Turns the notation of the scripts into bytes: `\r \n \t \\ \xNN`, `${name}` for a variable and
/// `${text*count}` for a repetition, of the variable where there is one of that name. Throws
/// `failure` on an unknown name.
std::string unescape(std::string_view text, const variables& vars = {});

/// Replaces only the `${...}`: for regular expressions, which have backslashes of their own.
std::string substitute(std::string_view text, const variables& vars);

/// Turns bytes into the notation of the scripts; long runs are cut in the middle.
std::string printable(std::string_view bytes, size_t limit = 400);

/// Splits at blanks, except inside double quotes, which are kept.
std::vector<std::string> words(std::string_view line);

std::string_view trim(std::string_view text);

/// The whole file, or an empty string if it cannot be read.
std::string read_file(const std::string& path);

}  // namespace vagus::test
