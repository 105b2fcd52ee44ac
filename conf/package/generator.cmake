# Read by cpack before it works, once for each kind of package.
set(ENV{SOURCE_DATE_EPOCH} ${CPACK_PACKAGE_EPOCH})
set(ENV{TZ} UTC)
set(ENV{LC_ALL} C.UTF-8)
if(CPACK_GENERATOR STREQUAL "RPM")
  set(CPACK_STRIP_FILES ON) # of the deb it is the debug package that takes the symbols
endif()
