#include "actors/jetstream/rfc3339.hpp"

#include "actors/jetstream/json_text.hpp"

#include <fmt/format.h>

#include <chrono>
#include <cstring>

namespace vagus {

namespace {

using namespace std::chrono;

constexpr int64_t second_ns = 1'000'000'000;

bool is_decimal(char c) {
  return c >= '0' && c <= '9';
}

/// Takes one piece of a time after the other from the front of a text. The first that is not there
/// makes the error.
class time_reader {
public:
  explicit time_reader(std::string_view text) : text_{text}, rest_{text} {}

  int number(size_t digits, std::string_view layout) {
    if (!error.empty()) return 0;
    int value = 0;
    for (size_t i = 0; i < digits; ++i) {
      if (i >= rest_.size() || !is_decimal(rest_[i])) return cannot_parse(layout);
      value = value * 10 + (rest_[i] - '0');
    }
    rest_.remove_prefix(digits);
    return value;
  }

  int bounded(size_t digits, std::string_view layout, int least, int most, std::string_view what) {
    int value = number(digits, layout);
    if (error.empty() && (value < least || value > most)) out_of_range(what);
    return value;
  }

  /// Go takes a single digit as well here, and only here.
  int hour() {
    bool single = rest_.size() > 1 && is_decimal(rest_[0]) && !is_decimal(rest_[1]);
    return bounded(single ? 1 : 2, "15", 0, 23, "hour");
  }

  void literal(char c) {
    if (!error.empty()) return;
    if (rest_.empty() || rest_[0] != c)
      cannot_parse(std::string_view{&c, 1});
    else
      rest_.remove_prefix(1);
  }

  int64_t fraction() {
    if (!error.empty() || rest_.size() < 2 || !is_decimal(rest_[1])) return 0;
    if (rest_[0] != '.' && rest_[0] != ',') return 0;
    rest_.remove_prefix(1);
    int64_t value = 0;
    int64_t unit = second_ns / 10;
    for (; !rest_.empty() && is_decimal(rest_[0]); rest_.remove_prefix(1), unit /= 10)
      value += unit * (rest_[0] - '0');
    return value;
  }

  /// Seconds east of UTC.
  int64_t zone() {
    constexpr std::string_view layout = "Z07:00";
    if (!error.empty()) return 0;
    if (!rest_.empty() && rest_[0] == 'Z') {
      rest_.remove_prefix(1);
      return 0;
    }
    auto z = rest_;
    bool good = z.size() >= 6 && (z[0] == '+' || z[0] == '-') && is_decimal(z[1]) &&
                is_decimal(z[2]) && z[3] == ':' && is_decimal(z[4]) && is_decimal(z[5]);
    if (!good) return cannot_parse(layout);
    int hours = (z[1] - '0') * 10 + (z[2] - '0');
    int minutes = (z[4] - '0') * 10 + (z[5] - '0');
    if (hours > 24) return out_of_range("time zone offset hour");
    if (minutes > 60) return out_of_range("time zone offset minute");
    rest_.remove_prefix(6);
    int64_t seconds = hours * 3600 + minutes * 60;
    return z[0] == '-' ? -seconds : seconds;
  }

  void end() {
    if (error.empty() && !rest_.empty())
      error = fmt::format("parsing time {}: extra text: {}", go_printed(text_), go_printed(rest_));
  }

  int out_of_range(std::string_view what) {
    error = fmt::format("parsing time {}: {} out of range", go_printed(text_), what);
    return 0;
  }

  std::string error;

private:
  int cannot_parse(std::string_view layout) {
    error = fmt::format("parsing time {} as \"2006-01-02T15:04:05Z07:00\": cannot parse {} as {}",
                        go_printed(text_), go_printed(rest_), go_printed(layout));
    return 0;
  }

  std::string_view text_;
  std::string_view rest_;
};

}  // namespace

namespace {

void put_digits(char* at, int count, uint64_t number) {
  for (int i = count - 1; i >= 0; --i, number /= 10) at[i] = static_cast<char>('0' + number % 10);
}

/// "2006-01-02T15:04:05".
void put_second(char* at, sys_seconds second) {
  auto day = floor<days>(second);
  year_month_day date{day};
  hh_mm_ss clock{second - day};
  std::memcpy(at, "0000-00-00T00:00:00", 19);
  put_digits(at, 4, static_cast<uint64_t>(static_cast<int>(date.year())));
  put_digits(at + 5, 2, static_cast<unsigned>(date.month()));
  put_digits(at + 8, 2, static_cast<unsigned>(date.day()));
  put_digits(at + 11, 2, static_cast<uint64_t>(clock.hours().count()));
  put_digits(at + 14, 2, static_cast<uint64_t>(clock.minutes().count()));
  put_digits(at + 17, 2, static_cast<uint64_t>(clock.seconds().count()));
}

}  // namespace

/// Messages are read in runs that were stored in the same second: its text is kept.
std::string rfc3339(int64_t time_ns) {
  if (time_ns == zero_time) return "0001-01-01T00:00:00Z";
  static thread_local int64_t known = INT64_MIN;
  static thread_local char text[19];
  sys_time<nanoseconds> time{nanoseconds{time_ns}};
  auto second = floor<seconds>(time);
  if (second.time_since_epoch().count() != known) {
    put_second(text, second);
    known = second.time_since_epoch().count();
  }
  char out[31];
  std::memcpy(out, text, 19);
  size_t size = 19;
  if (auto rest = (time - second).count(); rest != 0) {
    out[size] = '.';
    put_digits(out + size + 1, 9, static_cast<uint64_t>(rest));
    size += 10;
    while (out[size - 1] == '0') --size;
  }
  out[size++] = 'Z';
  return {out, size};
}

parsed_time parse_rfc3339(std::string_view text) {
  time_reader in{text};
  int y = in.number(4, "2006");
  in.literal('-');
  int m = in.bounded(2, "01", 1, 12, "month");
  in.literal('-');
  int d = in.number(2, "02");
  in.literal('T');
  int hour = in.hour();
  in.literal(':');
  int minute = in.bounded(2, "04", 0, 59, "minute");
  in.literal(':');
  int second = in.bounded(2, "05", 0, 59, "second");
  int64_t fraction = in.fraction();
  int64_t zone = in.zone();
  in.end();
  year_month_day date{year{y}, month(static_cast<unsigned>(m)), day(static_cast<unsigned>(d))};
  if (in.error.empty() && !date.ok()) in.out_of_range("day");
  if (!in.error.empty()) return {0, std::move(in.error)};
  int64_t seconds = duration_cast<std::chrono::seconds>(sys_days{date}.time_since_epoch()).count() +
                    hour * 3600 + minute * 60 + second - zone;
  if (seconds <= INT64_MIN / second_ns) return {zero_time, {}};
  if (seconds >= INT64_MAX / second_ns) return {INT64_MAX, {}};
  return {seconds * second_ns + fraction, {}};
}

}  // namespace vagus
