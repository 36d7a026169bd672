#pragma once

#include <functional>
#include <lmdb.h>

namespace vagus {

/// Runs `f`, which opens an environment. False: what LMDB found in the file has led it to memory
/// that is not there, or it has given up. LMDB's pages have no checksums, and it follows what they
/// say. Then `f` has not returned and nothing of what it had begun was ended: the environment and
/// all that belongs to it must be left alone from then on, for good.
///
/// A fault outside of `f` ends the process, as ever. Any thread.
bool survives_damage(const std::function<void()>& f);

/// Has LMDB give up by way of `survives_damage` where it would end the process.
void give_up_gently(MDB_env* env);

}  // namespace vagus
