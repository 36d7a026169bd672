#include "tests/protocol/script.hpp"

#include "tests/support/text.hpp"

#include <fstream>

namespace vagus::test {

script load_script(const std::string& path, const std::string& kind) {
  std::ifstream file{path};
  if (!file) throw failure{"cannot read " + path};
  script result{path, false, {}};
  int number = 0;
  for (std::string text; std::getline(file, text);) {
    ++number;
    auto rest = trim(text);
    if (rest.empty() || rest[0] == '#') continue;
    const std::string other = kind == "peer" ? "vagus:" : "peer:";
    if (rest.starts_with(other)) continue;
    if (rest.starts_with(kind + ":")) rest = trim(rest.substr(kind.size() + 1));
    if (rest == "split at every byte") {
      result.split_at_every_byte = true;
    } else {
      result.lines.push_back({number, std::string{rest}});
    }
  }
  return result;
}

}  // namespace vagus::test
