#include "net/options/flags.hpp"
#include "net/options/validate.hpp"
#include "target.hpp"

using namespace vagus;
using namespace vagus::fuzz;

/// Every line is an argument.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  auto arguments = lines_of(text_of(data, size));
  auto parsed = parse_flags(arguments);
  if (parsed.error) {
    require(!parsed.error->empty(), "errors have texts");
    return 0;
  }
  require(parsed.flags.size() + parsed.words.size() <= arguments.size(),
          "each argument counts once");
  for (const auto& flag : parsed.flags) require(flag.rule != nullptr, "flags have rules");
  command_line command;
  options opts;
  apply_flags(parsed, command, opts);
  fill_defaults(opts);
  validate(opts);
  return 0;
}
