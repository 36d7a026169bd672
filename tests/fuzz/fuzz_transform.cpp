#include "net/subject.hpp"
#include "net/subject_transform.hpp"
#include "target.hpp"

using namespace vagus;
using namespace vagus::fuzz;

/// The first line is a source, the second a destination, every other a subject.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  auto lines = lines_of(text_of(data, size));
  if (lines.size() < 2) return 0;
  auto made = subject_transform::make(lines[0], lines[1]);
  if (auto* why = std::get_if<transform_failure>(&made)) {
    require(!why->text.empty(), "a failure has a reason");
    return 0;
  }
  auto& transform = std::get<subject_transform>(made);
  bool random = lines[1].find("andom") != std::string::npos;
  for (size_t i = 2; i < lines.size(); ++i) {
    auto& subject = lines[i];
    auto result = transform.apply(subject);  // whatever the subject
    require(random || result == transform.apply(subject), "the same gives the same");
    require(!transform.matches(subject) || valid_literal_subject(subject) ||
                subject.find_first_of(" \t\r\n\f") != std::string::npos,
            "what matches is literal");
    if (lines[1].empty()) require(result == subject, "no destination changes nothing");
  }
  return 0;
}
