#pragma once

#include <nlohmann/json.hpp>

#include <string>

namespace vagus::test {

/// Checks a JSON value against a blank-separated list; throws `failure` naming the first that
/// fails. A path has its steps separated by dots, with numbers for array elements.
///
///   path            is there
///   !path           is not there
///   path:type       is of that type: string number boolean array object null
///   path=json       equals that JSON value
///   path~regex      is a string that matches the whole regex
///   path#count      is an array or object of that many elements
void check_json(const nlohmann::json& value, const std::string& checks);

}  // namespace vagus::test
