#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace vagus {

/// Makes another subject of a subject. The destination refers to the wildcards of the source:
/// `$1`, `{{wildcard(1)}}`, `{{partition(10,1,2)}}`, `{{split(1,-)}}`, `{{splitfromleft(1,3)}}`,
/// `{{splitfromright(1,3)}}`, `{{slicefromleft(1,3)}}`, `{{slicefromright(1,3)}}`, `{{left(1,3)}}`,
/// `{{right(1,3)}}`, `{{random(10)}}` (nats-server's documentation, "Subject Mapping").
class subject_transform {
public:
  /// An empty source stands for `>`. If there is no such transform, the text says why in
  /// nats-server's words.
  static std::optional<subject_transform> make(std::string_view src, std::string_view dest,
                                               std::string& error);

  /// Why a stream's configuration may not have this transform, or an empty text. Looks at more than
  /// `make`, except that an empty destination is allowed.
  static std::string check(std::string_view src, std::string_view dest);

  /// The new subject, for one that the source matches. `random` decides for `{{random()}}`.
  std::string apply(std::string_view subject, uint32_t random = 0) const;

  /// The new subject, or nothing if the source does not match.
  std::optional<std::string> match(std::string_view subject, uint32_t random = 0) const;

private:
  enum class kind : uint8_t {
    literal,
    rest,  ///< `>`
    wildcard,
    partition,
    split_from_left,
    split_from_right,
    slice_from_left,
    slice_from_right,
    split,
    left,
    right,
    random,
  };

  /// One token of the destination.
  struct piece {
    kind what = kind::literal;
    std::string text;             ///< the token itself, or split's delimiter
    std::vector<int64_t> tokens;  ///< of wildcards from 1, later of the subject's tokens from 0
    int64_t number = 0;
  };

  struct function_name;
  static const function_name* find_function(std::string_view name);
  static std::optional<piece> parse_piece(std::string_view token, std::string& error);
  static std::optional<piece> parse_function(std::string_view token, std::string& error);
  static void append(std::string& out, const piece& p, const std::vector<std::string_view>& tokens,
                     std::string_view subject, uint32_t random);

  std::string src_;
  size_t src_tokens_ = 0;
  std::vector<piece> pieces_;
};

}  // namespace vagus
