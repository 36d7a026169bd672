#pragma once

#include "actors/jetstream/ledger_state.hpp"

#include <string>
#include <string_view>

namespace vagus {

// How a consumer's state is stored: a base, which is the whole state, and rows of changes since.
// With few messages pending every row is a base. With many, a base for each commit would write the
// state again and again: changes are written until they are as many bytes as the base, so that each
// change is written about twice, whatever `max_ack_pending` is and in whatever order
// acknowledgements come. Slots are used again by the next base: rows carry its generation, so that
// what is left of an earlier one is known for it, and nothing has to be deleted. The bytes are in
// storage/README.md.

struct ledger_row {
  uint8_t slot = 0;  ///< 0 is the base
  std::string bytes;
};

/// So large may a state be that is written as a whole each time.
constexpr size_t small_ledger = 4096;

/// The name under which the row of a consumer is stored. No consumer can be named so.
std::string ledger_row_name(std::string_view consumer, uint8_t slot);

/// Turns changes into rows.
class ledger_row_writer {
public:
  /// `after` is the state with the change.
  void add(const ledger_change& change, const ledger_state& after);
  bool changed() const { return whole_ || !changes_.empty(); }
  std::optional<ledger_row> take(const ledger_state& state);
  void lost() { whole_ = true; }

private:
  friend std::optional<ledger_row_writer> read_ledger_rows(
      const std::vector<std::string_view>& rows, ledger_state& to);

  uint64_t generation_ = 0;
  uint8_t slot_ = 0;   ///< the last one written
  bool whole_ = true;  ///< the next row is a base
  size_t base_bytes_ = 0;
  size_t change_bytes_ = 0;  ///< since the base
  std::string changes_;      ///< of the row to come
  ledger_change last_;       ///< what its next change is told from
};

/// The state that rows describe; `to` comes with what the rules say. Nothing if a row is damaged or
/// the base is missing.
std::optional<ledger_row_writer> read_ledger_rows(const std::vector<std::string_view>& rows,
                                                  ledger_state& to);

}  // namespace vagus
