# Packages for Debian and for systems with rpm, made by cpack from a release build:
#   cmake --preset release && cmake --build build/release && cpack --config build/release/CPackConfig.cmake -G DEB
# The same sources give the same package to the byte (tests/packages/run reproducible).
# The rpm depends on the libraries as the machine has them where it is made: make it on the system that it is for.
set(PACKAGE_MAINTAINER "The table-updater authors <authors@table-updater.example>" CACHE STRING
  "Who answers for the package: a name and an address")
set(PACKAGE_RELEASE 1)
file(READ ${CMAKE_CURRENT_LIST_DIR}/changelog.in changelog)
string(FIND "${changelog}" "table-updater (${PROJECT_VERSION}-${PACKAGE_RELEASE}) " begins)
if(NOT begins EQUAL 0)
  message(FATAL_ERROR "conf/package/changelog.in has no entry, at its top, for version "
    "${PROJECT_VERSION}-${PACKAGE_RELEASE}: add one")
endif()
# Times inside the packages are that of the newest entry, whenever they are made.
execute_process(COMMAND sh -c "date -u +%s -d \"$(sed -n 's/^ -- .*>  //p' \"$1\" | head -n 1)\"" sh
  ${CMAKE_CURRENT_LIST_DIR}/changelog.in OUTPUT_VARIABLE PACKAGE_EPOCH OUTPUT_STRIP_TRAILING_WHITESPACE)
if(NOT PACKAGE_EPOCH MATCHES "^[0-9]+$")
  message(FATAL_ERROR "conf/package/changelog.in: the first line that begins with \" -- \" has no date")
endif()
configure_file(${CMAKE_CURRENT_LIST_DIR}/changelog.in ${CMAKE_CURRENT_BINARY_DIR}/package/changelog @ONLY)

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME table-updater)
set(CPACK_PACKAGE_VENDOR "The table-updater authors")
set(CPACK_PACKAGE_CONTACT "${PACKAGE_MAINTAINER}")
set(CPACK_PACKAGE_VERSION ${PROJECT_VERSION})
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "applies update messages from Amazon SQS to DynamoDB")
set(CPACK_PACKAGE_DESCRIPTION_FILE ${CMAKE_CURRENT_LIST_DIR}/description)
set(CPACK_PACKAGE_DIRECTORY ${CMAKE_CURRENT_BINARY_DIR}/packages)
# The units and the completion of zsh depend on the prefix, so it has to be the real one: with DESTDIR before it.
set(CPACK_SET_DESTDIR ON)
set(CPACK_INSTALL_PREFIX /usr)
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_VERBATIM_VARIABLES ON)
set(CPACK_PROJECT_CONFIG_FILE ${CMAKE_CURRENT_LIST_DIR}/generator.cmake)
set(CPACK_PRE_BUILD_SCRIPTS ${CMAKE_CURRENT_LIST_DIR}/stage.cmake)
set(CPACK_POST_BUILD_SCRIPTS ${CMAKE_CURRENT_LIST_DIR}/finish.cmake)
set(CPACK_INSTALL_DEFAULT_DIRECTORY_PERMISSIONS
  OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ GROUP_EXECUTE WORLD_READ WORLD_EXECUTE)
set(CPACK_PACKAGE_EPOCH ${PACKAGE_EPOCH})
set(CPACK_PACKAGE_CHANGELOG ${CMAKE_CURRENT_BINARY_DIR}/package/changelog)
set(CPACK_PACKAGE_SOURCES ${CMAKE_CURRENT_LIST_DIR})

set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_RELEASE ${PACKAGE_RELEASE})
set(CPACK_DEBIAN_PACKAGE_SECTION net)
set(CPACK_DEBIAN_PACKAGE_PRIORITY optional)
set(CPACK_DEBIAN_PACKAGE_DEPENDS ca-certificates)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_DEBUGINFO_PACKAGE ON)
set(CPACK_DEBIAN_COMPRESSION_TYPE xz)
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
set(CPACK_DEBIAN_PACKAGE_CONTROL_EXTRA ${CMAKE_CURRENT_LIST_DIR}/deb/postinst ${CMAKE_CURRENT_LIST_DIR}/deb/prerm
  ${CMAKE_CURRENT_LIST_DIR}/deb/postrm)

set(CPACK_RPM_FILE_NAME RPM-DEFAULT)
set(CPACK_RPM_PACKAGE_RELEASE ${PACKAGE_RELEASE})
set(CPACK_RPM_PACKAGE_LICENSE MIT)
set(CPACK_RPM_PACKAGE_GROUP System/Daemons)
set(CPACK_RPM_PACKAGE_SUMMARY "Applies update messages from Amazon SQS to DynamoDB")
set(CPACK_RPM_PACKAGE_REQUIRES ca-certificates)
set(CPACK_RPM_POST_INSTALL_SCRIPT_FILE ${CMAKE_CURRENT_LIST_DIR}/rpm/post)
set(CPACK_RPM_PRE_UNINSTALL_SCRIPT_FILE ${CMAKE_CURRENT_LIST_DIR}/rpm/preun)
set(CPACK_RPM_POST_UNINSTALL_SCRIPT_FILE ${CMAKE_CURRENT_LIST_DIR}/rpm/postun)
set(CPACK_RPM_SPEC_MORE_DEFINE "%define _buildhost table-updater
%define use_source_date_epoch_as_buildtime 1
%define clamp_mtime_to_source_date_epoch 1
%define _build_id_links none")
set(CPACK_RPM_EXCLUDE_FROM_AUTO_FILELIST_ADDITION /usr/lib/systemd /usr/lib/systemd/system /usr/share/bash-completion
  /usr/share/bash-completion/completions /usr/share/fish /usr/share/fish/vendor_completions.d /usr/share/zsh
  /usr/share/zsh/vendor-completions /usr/share/zsh/site-functions /usr/share/man
  /usr/share/man/man5 /usr/share/man/man7 /usr/share/man/man8)
include(CPack)
