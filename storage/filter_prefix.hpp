#pragma once

#include "net/subject.hpp"

#include <string_view>

namespace vagus {

/// What every subject that `filter` matches begins with: the bytes before its first wildcard.
inline std::string_view literal_prefix(std::string_view filter) {
  token_reader tokens{filter};
  for (std::string_view token; tokens.next(token);)
    if (token == "*" || token == ">")
      return filter.substr(0, static_cast<size_t>(token.data() - filter.data()));
  return filter;
}

/// Whether `filter` matches all that begins with its literal prefix and has something behind it.
inline bool is_prefix(std::string_view filter) {
  return filter.ends_with(".>") && literal_prefix(filter).size() == filter.size() - 1;
}

}  // namespace vagus
