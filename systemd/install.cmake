# Units, sample settings and manual page. Both units are made of one template: table-updater.service, and table-updater@.service for
# several processes beside each other.
set(OF_INSTANCE "")
set(INSTANCE_SETTINGS "")
configure_file(${CMAKE_CURRENT_LIST_DIR}/table-updater.service.in ${CMAKE_CURRENT_BINARY_DIR}/systemd/table-updater.service @ONLY)
set(OF_INSTANCE " (%i)")
set(INSTANCE_SETTINGS "# What this instance has of its own; it wins over the common file.\nEnvironmentFile=-/etc/table-updater/%i.conf")
configure_file(${CMAKE_CURRENT_LIST_DIR}/table-updater.service.in ${CMAKE_CURRENT_BINARY_DIR}/systemd/table-updater@.service @ONLY)

install(FILES ${CMAKE_CURRENT_BINARY_DIR}/systemd/table-updater.service ${CMAKE_CURRENT_BINARY_DIR}/systemd/table-updater@.service
  DESTINATION lib/systemd/system)
install(FILES ${CMAKE_CURRENT_LIST_DIR}/../conf/table-updater.conf DESTINATION ${CMAKE_INSTALL_DATADIR}/doc/table-updater/examples)
install(FILES ${CMAKE_CURRENT_LIST_DIR}/../conf/table-updater.8 DESTINATION ${CMAKE_INSTALL_MANDIR}/man8)
