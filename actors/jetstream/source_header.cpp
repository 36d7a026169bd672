#include "actors/jetstream/source_header.hpp"

#include "actors/jetstream/name_hash.hpp"
#include "actors/jetstream/publish_headers.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
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

std::optional<subject_transform> made(const subject_transform_config& config) {
  auto transform = subject_transform::make(config.src, config.dest);
  if (auto* good = std::get_if<subject_transform>(&transform)) return std::move(*good);
  return std::nullopt;
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

std::string source_header(const std::string& source_name, uint64_t seq, std::string_view subject,
                          std::string_view identity) {
  auto space = source_name.find(' ');
  return fmt::format("{}: {} {} {} {}{}{}\r\n", header_name, source_name.substr(0, space), seq,
                     source_name.substr(space + 1), subject, identity.empty() ? "" : " ", identity);
}

std::optional<source_origin> read_source_header(std::string_view value) {
  std::vector<std::string_view> words;
  while (!value.empty()) {
    auto end = std::min(value.find(' '), value.size());
    if (end > 0) words.push_back(value.substr(0, end));
    value.remove_prefix(std::min(end + 1, value.size()));
  }
  if (words.size() != 2 && words.size() != 5 && words.size() != 6) return std::nullopt;
  source_origin origin;
  auto [end, error] =
      std::from_chars(words[1].data(), words[1].data() + words[1].size(), origin.seq);
  if (error != std::errc{} || end != words[1].data() + words[1].size()) return std::nullopt;
  origin.name = words[0];
  if (words.size() == 2) return origin;
  origin.name = fmt::format("{} {} {}", words[0], words[2], words[3]);
  origin.subject = words[4];
  if (words.size() == 6) origin.identity = words[5];
  return origin;
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

source_progress::source_progress(const std::vector<stream_source>& sources)
    : missing_{sources.size()} {
  for (const auto& s : sources) {
    auto name = source_name(s);
    auto origin = name.substr(0, name.find(' '));
    parts_.push_back({std::move(name), std::move(origin), 0});
  }
}

bool source_progress::look(std::string_view headers) {
  if (complete()) return false;
  auto origin = read_source_header(find_header(headers, header_name));
  if (!origin) return true;
  bool old = origin->subject.empty();
  for (auto& p : parts_) {
    if (p.seq != 0 || (old ? p.origin : p.name) != origin->name || origin->seq == 0) continue;
    p.seq = origin->seq;
    --missing_;
  }
  return !complete();
}

sourced_subject::sourced_subject(const stream_source& source,
                                 const std::optional<subject_transform_config>& of_stream) {
  for (const auto& t : source.subject_transforms)
    if (auto transform = made(t)) transforms_.push_back(std::move(*transform));
  if (of_stream) of_stream_ = made(*of_stream);
}

std::string sourced_subject::apply(std::string_view subject) const {
  std::string result{subject};
  auto takes = [&](const subject_transform& t) { return t.matches(subject); };
  if (auto at = std::find_if(transforms_.begin(), transforms_.end(), takes);
      at != transforms_.end())
    result = at->apply(subject);
  return of_stream_ && of_stream_->matches(result) ? of_stream_->apply(result) : result;
}

}  // namespace vagus
