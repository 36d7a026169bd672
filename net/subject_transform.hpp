#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace vagus {

/// Why there is no transform, in nats-server's words.
struct transform_failure {
  bool in_source = false;  ///< it is the source that is wrong, not the destination
  std::string text;
};

/// Rewrites subjects that match a source into a destination (ADR-30): tokens of the destination may
/// be taken from the source's wildcards. The functions, their names in any of the usual spellings
/// ("splitFromLeft", "SplitFromLeft", "splitfromleft"):
///
///   $1, {{wildcard(1)}}      what the first `*` stands for
///   {{partition(n,1,2)}}     FNV-1a of these tokens together, modulo n; without tokens of the
///   whole
///                            subject
///   {{split(1,-)}}           a token at every "-"; {{split(1,)}} at every character
///   {{splitfromleft(1,n)}}   in two after n bytes; splitfromright before the last n
///   {{slicefromleft(1,n)}}   in pieces of n bytes; slicefromright with the remainder first
///   {{left(1,n)}}            the first n bytes; right the last n
///   {{random(n)}}            a number from 0 to n-1
///
/// An immutable value.
class subject_transform {
public:
  /// An empty source is ">". An empty destination changes nothing.
  static std::variant<subject_transform, transform_failure> make(std::string_view source,
                                                                 std::string_view destination);

  /// Whether `subject` is to be rewritten: it is literal, and the source matches.
  bool matches(std::string_view subject) const;

  /// What `subject`, which must match, becomes. As with nats-server, a split may leave an empty
  /// token, so that the result is no valid subject ("t.---a" by "-"). Safe for any bytes.
  std::string apply(std::string_view subject) const;

private:
  friend class transform_maker;

  enum class function : uint8_t {
    text,
    wildcard,
    partition,
    split_from_left,
    split_from_right,
    slice_from_left,
    slice_from_right,
    right,
    left,
    split,
    random,
  };

  /// One token of the destination, or what makes one.
  struct part {
    function what = function::text;
    int32_t number = 0;
    std::vector<size_t> tokens;  ///< of the source
    std::string text;            ///< the token, or where to split
  };

  void append(std::string& out, const part& p, std::string_view subject) const;

  std::string source_;
  std::vector<part> parts_;
  size_t expected_ = 0;    ///< bytes of the result beyond those of the subject, at a guess
  bool open_ = false;      ///< the destination ends with ">"
  size_t open_token_ = 0;  ///< from which token of the subject on this stands
};

}  // namespace vagus
