#include "actors/jetstream/source_header.hpp"

#include "actors/jetstream/name_hash.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <initializer_list>

namespace vagus {

namespace {

constexpr std::string_view header_name = "Nats-Stream-Source";
constexpr std::string_view first_line = "NATS/1.0\r\n";

std::string_view or_all(std::string_view subject) {
  return subject.empty() ? ">" : subject;
}

/// Appends the lines of `headers` but for those that begin so.
void append_lines(std::string& block, std::string_view headers,
                  std::initializer_list<std::string_view> left_out) {
  auto at = headers.find("\r\n");
  while (at != std::string_view::npos) {
    auto end = headers.find("\r\n", at + 2);
    if (end == std::string_view::npos) break;
    auto line = headers.substr(at + 2, end - at - 2);
    bool kept = std::none_of(left_out.begin(), left_out.end(),
                             [&](std::string_view name) { return line.starts_with(name); });
    if (!line.empty() && kept) block.append(line).append("\r\n");
    at = end;
  }
}

}  // namespace

std::string source_name(const stream_source& s) {
  auto name = s.name;
  if (s.external) name += ":" + name_hash(s.external->api);
  if (s.subject_transforms.empty()) return fmt::format("{} {} >", name, or_all(s.filter_subject));
  std::string filters, destinations;
  for (const auto& t : s.subject_transforms) {
    if (!filters.empty()) filters += '\f', destinations += '\f';
    filters += or_all(t.src);
    destinations += or_all(t.dest);
  }
  return fmt::format("{} {} {}", name, filters, destinations);
}

std::string stream_identity(std::string_view name, int64_t created_ns) {
  return name_hash(fmt::format("{} {}", name, created_ns));
}

std::string source_header(const std::string& source_name, uint64_t seq, std::string_view subject,
                          std::string_view identity) {
  auto space = source_name.find(' ');
  return fmt::format("{}: {} {} {} {}{}{}\r\n", header_name, source_name.substr(0, space), seq,
                     source_name.substr(space + 1), subject, identity.empty() ? "" : " ", identity);
}

std::string sourced_headers(std::string_view headers, std::string_view source_header) {
  std::string block{first_line};
  append_lines(block, headers, {"Nats-Expected-", "Nats-Stream-Source:"});
  return block.append(source_header).append("\r\n");
}

std::string mirrored_headers(std::string_view headers) {
  std::string block{first_line};
  append_lines(block, headers, {"Nats-Expected-"});
  return block == first_line ? std::string{} : block.append("\r\n");
}

source_start start_of(const stream_source& source, uint64_t stored) {
  if (stored > 0 || source.opt_start_seq > 0)
    return {std::max(stored > 0 ? stored + 1 : 0, source.opt_start_seq), std::nullopt};
  return {0, source.opt_start_time};
}

sourced_subject::sourced_subject(const stream_source& source) {
  for (const auto& t : source.subject_transforms) {
    auto made = subject_transform::make(t.src, t.dest);
    if (auto* transform = std::get_if<subject_transform>(&made)) transforms_.push_back(*transform);
  }
}

std::string sourced_subject::apply(std::string_view subject) const {
  auto takes = [&](const subject_transform& t) { return t.matches(subject); };
  auto at = std::find_if(transforms_.begin(), transforms_.end(), takes);
  return at == transforms_.end() ? std::string{subject} : at->apply(subject);
}

}  // namespace vagus
