#include "storage/store_error.hpp"

namespace vagus {

const char* to_text(store_errc code) {
  switch (code) {
    case store_errc::none:
      return "no error";
    case store_errc::wrong_last_sequence:
      return "wrong last sequence";
    case store_errc::wrong_last_msg_id:
      return "wrong last msg ID";
    case store_errc::message_too_large:
      return "message size exceeds maximum allowed";
    case store_errc::max_msgs_reached:
      return "maximum messages exceeded";
    case store_errc::max_bytes_reached:
      return "maximum bytes exceeded";
    case store_errc::max_per_subject_reached:
      return "maximum messages per subject exceeded";
    case store_errc::refused:
      return "refused";
    case store_errc::no_message:
      return "no message found";
    case store_errc::malformed_batch:
      return "malformed batch";
    case store_errc::no_space:
      return "no space left for the stream";
    case store_errc::io_error:
      return "i/o error";
    case store_errc::corrupt:
      return "a stored record is corrupt";
    case store_errc::not_a_store:
      return "not a stream's directory";
    case store_errc::unclean:
      return "not closed cleanly";
    case store_errc::too_many_readers:
      return "too many readers";
    case store_errc::busy_readers:
      return "readers did not end in time";
    case store_errc::stopped:
      return "the store has stopped writing";
  }
  return "unknown error";
}

}  // namespace vagus
