# Units and sample settings. The units name the program by its path, which is only known when it is
# installed (cmake --install --prefix).
set(BINDIR ${CMAKE_INSTALL_FULL_BINDIR})
set(UNIT_FOLDER ${CMAKE_CURRENT_BINARY_DIR}/systemd)
include(${CMAKE_CURRENT_LIST_DIR}/units.cmake)
install(CODE "
  get_filename_component(BINDIR \"${CMAKE_INSTALL_BINDIR}\" ABSOLUTE BASE_DIR \"\${CMAKE_INSTALL_PREFIX}\")
  set(UNIT_FOLDER \"${CMAKE_CURRENT_BINARY_DIR}/systemd/install\")
  include(\"${CMAKE_CURRENT_LIST_DIR}/units.cmake\")")
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/systemd/install/table-updater.service
  ${CMAKE_CURRENT_BINARY_DIR}/systemd/install/table-updater@.service DESTINATION lib/systemd/system)
# The sample is where a package's script finds it too: documentation may be left out of an installation.
install(FILES ${CMAKE_CURRENT_LIST_DIR}/../conf/table-updater.conf
  ${CMAKE_CURRENT_LIST_DIR}/../conf/update-message.schema.json
  DESTINATION ${CMAKE_INSTALL_DATADIR}/table-updater)
