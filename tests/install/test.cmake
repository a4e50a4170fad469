# Installs the package of BUILD into a new prefix, builds a project that finds it, and with it the programs of the
# documents: the C++ blocks of a document, one after the other, are one program.
set(work ${BUILD}/tests/install)
set(source ${CMAKE_CURRENT_LIST_DIR}/../..)
file(REMOVE_RECURSE ${work})
file(MAKE_DIRECTORY ${work})
function(run)
  execute_process(COMMAND ${ARGV} COMMAND_ERROR_IS_FATAL ANY)
endfunction()
execute_process(COMMAND awk "/^```cpp/{on=1;next} /^```/{on=0} on" ${source}/README.md OUTPUT_FILE ${work}/readme.cpp COMMAND_ERROR_IS_FATAL ANY)
execute_process(COMMAND awk "/^```cpp/{on=1;next} /^```/{on=0} on" ${source}/docs/tutorial.md OUTPUT_FILE ${work}/tutorial.cpp COMMAND_ERROR_IS_FATAL ANY)
run(${CMAKE_COMMAND} --install ${BUILD} --prefix ${work}/prefix)
run(${CMAKE_COMMAND} -G ${GENERATOR} -S ${CMAKE_CURRENT_LIST_DIR}/consumer -B ${work}/consumer
    -DCMAKE_PREFIX_PATH=${work}/prefix -DCMAKE_CXX_COMPILER=${CXX} -DCMAKE_CXX_FLAGS=${FLAGS} -DPROGRAMS=${work})
run(${CMAKE_COMMAND} --build ${work}/consumer)
foreach(program consumer readme tutorial)
  execute_process(COMMAND ${work}/consumer/${program} WORKING_DIRECTORY ${work} COMMAND_ERROR_IS_FATAL ANY)
endforeach()
