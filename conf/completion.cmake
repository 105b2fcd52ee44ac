# The completion scripts of the shells, printed by a program that is linked with the table of commands.
add_executable(print_completion src/app/print_completion.c)
target_link_libraries(print_completion PRIVATE app project_options)
set(COMPLETIONS ${CMAKE_CURRENT_BINARY_DIR}/completions)
foreach(shell bash zsh fish)
  add_custom_command(OUTPUT ${COMPLETIONS}/table-updater.${shell}
    COMMAND ${CMAKE_COMMAND} -E make_directory ${COMPLETIONS}
    COMMAND print_completion ${shell} > ${COMPLETIONS}/table-updater.${shell}
    DEPENDS print_completion VERBATIM)
  list(APPEND completion_scripts ${COMPLETIONS}/table-updater.${shell})
endforeach()
add_custom_target(completions ALL DEPENDS ${completion_scripts})

install(FILES ${COMPLETIONS}/table-updater.bash DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions
  RENAME table-updater)
install(FILES ${COMPLETIONS}/table-updater.fish DESTINATION ${CMAKE_INSTALL_DATADIR}/fish/vendor_completions.d)
# Debian's zsh looks for what packages bring under /usr in a folder of its own.
install(CODE "
  set(folder site-functions)
  if(CMAKE_INSTALL_PREFIX STREQUAL \"/usr\" AND EXISTS /etc/debian_version)
    set(folder vendor-completions)
  endif()
  get_filename_component(folder \"${CMAKE_INSTALL_DATADIR}/zsh/\${folder}\" ABSOLUTE
    BASE_DIR \"\${CMAKE_INSTALL_PREFIX}\")
  file(INSTALL \"${COMPLETIONS}/table-updater.zsh\" DESTINATION \"\${folder}\" RENAME _table-updater)")
