# Run by cpack when the packages are made: those for Debian are packed again by dpkg-deb, so that they are the same
# whatever the builder's umask is. The one of debug symbols gets what Debian wants besides: as cpack makes it, its check
# sums name the folder where it was built, and it has no documentation.
foreach(package ${CPACK_PACKAGE_FILES})
  if(NOT package MATCHES "\\.d?deb$")
    continue()
  endif()
  execute_process(RESULT_VARIABLE failed COMMAND sh -euc [=[
    umask 022
    folder=$(mktemp -d)
    trap 'rm -rf "$folder"' EXIT
    chmod 0755 "$folder"
    dpkg-deb -R "$1" "$folder"
    cd "$folder"
    chmod 0755 DEBIAN
    case "$1" in
    *.ddeb)
      mkdir -p usr/share/doc
      ln -s table-updater usr/share/doc/table-updater-dbgsym
      find usr -type f | LC_ALL=C sort | xargs md5sum >DEBIAN/md5sums
      find usr -type d -exec chmod 0755 {} +
      find usr -type f -exec chmod 0644 {} +
      ;;
    esac
    find . -depth -exec touch --no-dereference --date="@$SOURCE_DATE_EPOCH" {} +
    dpkg-deb --root-owner-group -Zxz --build . "$1" >/dev/null]=] sh ${package})
  if(failed)
    message(FATAL_ERROR "${package} could not be packed again")
  endif()
endforeach()
