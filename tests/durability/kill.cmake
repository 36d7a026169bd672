# kill -9, a full disk, a directory that cannot be written: see README.md.
add_library(vagus_kill STATIC kill_wire.cpp kill_ledger.cpp kill_judge.cpp kill_load.cpp
                               exactly_once_ledger.cpp exactly_once_load.cpp)
target_link_libraries(vagus_kill PUBLIC vagus_test_support)

add_executable(kill_judge_test kill_judge_test.cpp)
target_link_libraries(kill_judge_test PRIVATE vagus_kill Catch2::Catch2)
catch_discover_tests(kill_judge_test)

foreach(program kill_test kill_disk_test kill_flip_test kill_restore_test kill_sources_test
        exactly_once_test)
  add_executable(${program} ${program}.cpp)
  target_link_libraries(${program} PRIVATE vagus_kill)
  set_target_properties(${program} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR})
endforeach()

function(durability_test name)
  add_test(NAME "durability: ${name}" COMMAND ${ARGN})
  set_tests_properties("durability: ${name}" PROPERTIES SKIP_RETURN_CODE 77 TIMEOUT 240)
endfunction()

if(TARGET vagus AND EXISTS ${PROJECT_SOURCE_DIR}/actors/jetstream)
  set(KILL kill_test --server $<TARGET_FILE:vagus>)
  set(DISK kill_disk_test --server $<TARGET_FILE:vagus>)
  durability_test("a server that is killed keeps what it acknowledged" ${KILL} --rounds 12)
  durability_test("the harness finds a lost store" ${KILL} --rounds 5 --damage remove)
  durability_test("the harness finds a store that was set back" ${KILL} --rounds 5
                  --damage rollback)
  set(ONCE exactly_once_test --server $<TARGET_FILE:vagus> --rounds 6)
  durability_test("each message is stored once and finished once" ${ONCE})
  durability_test("each message of a work queue is stored once and finished once" ${ONCE}
                  --retention workqueue)
  durability_test("a damaged stream is reported and leaves the others alone"
                  kill_flip_test --server $<TARGET_FILE:vagus> --rounds 12)
  durability_test("copies of streams neither lose nor repeat anything when the server is killed"
                  kill_sources_test --server $<TARGET_FILE:vagus>)
  durability_test("a restore that is cut short leaves a whole stream or none"
                  kill_restore_test --server $<TARGET_FILE:vagus> --shim $<TARGET_FILE:power_shim>)
  durability_test("a full disk refuses messages and nothing else" ${DISK} full)
  durability_test("a store that cannot be written is reported and kept" ${DISK} readonly)
endif()
