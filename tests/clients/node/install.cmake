# Installs the packages of this directory's lock file into DEST, unless the same lock file was
# installed there before. `cmake -D SOURCE=... -D DEST=... -D NPM=... -P install.cmake`
set(inputs package.json package-lock.json .npmrc)
set(stamp ${DEST}/installed)

set(wanted "")
foreach(input ${inputs})
  file(SHA256 ${SOURCE}/${input} hash)
  string(APPEND wanted "${hash}\n")
endforeach()
if(EXISTS ${stamp})
  file(READ ${stamp} present)
  if(present STREQUAL wanted)
    message(STATUS "already installed")
    return()
  endif()
endif()

file(MAKE_DIRECTORY ${DEST})
file(REMOVE ${stamp})
foreach(input ${inputs})
  file(COPY ${SOURCE}/${input} DESTINATION ${DEST})
endforeach()
execute_process(COMMAND ${NPM} ci --no-update-notifier WORKING_DIRECTORY ${DEST}
                RESULT_VARIABLE failed)
if(failed)
  message(FATAL_ERROR "npm ci failed: ${failed}")
endif()
file(WRITE ${stamp} "${wanted}")
