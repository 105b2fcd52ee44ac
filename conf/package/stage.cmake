# Run by cpack between the installation into its folder and the packing: what a package has besides, and the form that
# the distributions want.
set(top ${CPACK_TEMPORARY_DIRECTORY})
set(doc ${top}/usr/share/doc/table-updater)
if(NOT EXISTS ${top}/usr/bin/table-updater)
  message(FATAL_ERROR "There is no ${top}/usr/bin/table-updater: build first")
endif()

function(run)
  execute_process(COMMAND ${ARGV} RESULT_VARIABLE failed ERROR_VARIABLE why)
  if(failed)
    message(FATAL_ERROR "${ARGV}: ${why}")
  endif()
endfunction()

# (Not file(INSTALL): DESTDIR is set here, and would come before the whole path.)
file(MAKE_DIRECTORY ${doc})
configure_file(${CPACK_PACKAGE_SOURCES}/copyright ${doc}/copyright COPYONLY)
file(GLOB pages ${top}/usr/share/man/man*/*.[1-9])
if(CPACK_GENERATOR STREQUAL "DEB")
  configure_file(${CPACK_PACKAGE_CHANGELOG} ${doc}/changelog.Debian COPYONLY)
  set(overrides ${top}/usr/share/lintian/overrides)
  file(MAKE_DIRECTORY ${overrides})
  configure_file(${CPACK_PACKAGE_SOURCES}/deb/lintian-overrides ${overrides}/table-updater COPYONLY)
  list(APPEND pages ${doc}/changelog.Debian)
else()
  configure_file(${CPACK_PACKAGE_CHANGELOG} ${doc}/changelog COPYONLY)
  # Where zsh looks for it outside Debian, if the package is made on Debian.
  if(EXISTS ${top}/usr/share/zsh/vendor-completions)
    file(RENAME ${top}/usr/share/zsh/vendor-completions ${top}/usr/share/zsh/site-functions)
  endif()
endif()
run(gzip -9nf ${pages})

# The modes are those of a package whatever the builder's umask is, the times those of the changelog.
run(find ${top}/usr -type d -exec chmod 0755 {} +)
run(find ${top}/usr -type f ! -perm -100 -exec chmod 0644 {} +)
run(find ${top}/usr -type f -perm -100 -exec chmod 0755 {} +)
run(find ${top}/usr -depth -exec touch --no-dereference --date=@${CPACK_PACKAGE_EPOCH} {} +)
