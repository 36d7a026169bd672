#pragma once

#include <string>
#include <vector>

namespace vagus::test {

struct script_line {
  int number = 0;
  std::string text;
};

/// A wire script as it is read: comments and blank lines gone, lines for the other server gone.
struct script {
  std::string path;
  bool split_at_every_byte = false;
  std::vector<script_line> lines;
};

/// `kind` is "vagus" or "peer": lines that start with the other one and a colon are left out.
/// Throws `failure` if the file cannot be read.
script load_script(const std::string& path, const std::string& kind);

}  // namespace vagus::test
