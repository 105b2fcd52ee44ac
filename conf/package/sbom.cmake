# Included by stage.cmake: what the program is made of, in SPDX 2.3 (JSON), from what the loader really takes: each
# library with the package, the version and the source package that it came from here. Needs ldd, readelf and dpkg.
function(lines_of result) # RESULT COMMAND...: the lines that a command prints; some of it may fail
  execute_process(COMMAND ${ARGN} OUTPUT_VARIABLE said ERROR_QUIET)
  string(REGEX MATCHALL "[^\n]+" lines "${said}")
  set(${result} "${lines}" PARENT_SCOPE)
endfunction()

function(write_sbom program to)
  lines_of(direct readelf -d ${program})
  lines_of(loaded ldd ${program})
  list(FILTER loaded INCLUDE REGEX " => /")
  if(NOT loaded)
    message(FATAL_ERROR "ldd names no library of ${program}")
  endif()
  # dpkg may know a library by its path before or after /lib became a link to /usr/lib.
  foreach(line ${loaded})
    string(REGEX MATCH "([^ \t]+) => ([^ ]+)" _ "${line}")
    list(APPEND names ${CMAKE_MATCH_1})
    file(REAL_PATH ${CMAKE_MATCH_2} path)
    string(REGEX REPLACE "^/usr/" "/" path ${path})
    list(APPEND paths ${path})
    list(APPEND candidates ${path} /usr${path})
  endforeach()
  lines_of(owners dpkg-query --search ${candidates})
  foreach(line ${owners})
    if(line MATCHES "^([^:, ]+)[^ ]*: (/usr)?(/.+)$")
      set(owner_of_${CMAKE_MATCH_3} ${CMAKE_MATCH_1})
    endif()
  endforeach()
  set(packages "")
  foreach(name path IN ZIP_LISTS names paths)
    set(package "${owner_of_${path}}")
    if(NOT package)
      message(FATAL_ERROR "no package has ${path}, so the list of what is linked would lack it")
    endif()
    list(APPEND packages ${package})
    list(APPEND files_of_${package} ${name})
    string(FIND "${direct}" "[${name}]" at)
    if(at GREATER -1)
      set(how_${package} DYNAMIC_LINK)
    endif()
  endforeach()
  list(SORT packages)
  list(REMOVE_DUPLICATES packages)

  file(SHA256 ${program} sum)
  string(TIMESTAMP created "%Y-%m-%dT%H:%M:%SZ" UTC) # of SOURCE_DATE_EPOCH
  set(document "{
  \"spdxVersion\": \"SPDX-2.3\",
  \"dataLicense\": \"CC0-1.0\",
  \"SPDXID\": \"SPDXRef-DOCUMENT\",
  \"name\": \"table-updater-${CPACK_PACKAGE_VERSION}\",
  \"documentNamespace\": \"urn:sha256:${sum}\",
  \"creationInfo\": {\"created\": \"${created}\", \"creators\": [\"Organization: ${CPACK_PACKAGE_VENDOR}\"]},
  \"packages\": [
    {\"SPDXID\": \"SPDXRef-table-updater\", \"name\": \"table-updater\", \"versionInfo\": \"${CPACK_PACKAGE_VERSION}\",
     \"downloadLocation\": \"NOASSERTION\", \"filesAnalyzed\": false, \"licenseConcluded\": \"MIT\",
     \"licenseDeclared\": \"MIT\", \"copyrightText\": \"2026 The table-updater authors\",
     \"primaryPackagePurpose\": \"APPLICATION\"}")
  set(relations "
    {\"spdxElementId\": \"SPDXRef-DOCUMENT\", \"relationshipType\": \"DESCRIBES\",
     \"relatedSpdxElement\": \"SPDXRef-table-updater\"}")
  execute_process(COMMAND dpkg --print-architecture OUTPUT_VARIABLE native OUTPUT_STRIP_TRAILING_WHITESPACE)
  lines_of(facts dpkg-query --show
    "--showformat=\${Package} \${Architecture} \${Version} \${source:Package} \${source:Version}\n" ${packages})
  foreach(line ${facts})
    if(line MATCHES "^([^ ]+) (${native}|all) ([^ ]+) (.+)$")
      set(version_of_${CMAKE_MATCH_1} ${CMAKE_MATCH_3})
      set(source_of_${CMAKE_MATCH_1} ${CMAKE_MATCH_4})
    endif()
  endforeach()
  foreach(package ${packages})
    set(version "${version_of_${package}}")
    set(source "${source_of_${package}}")
    if(NOT version)
      message(FATAL_ERROR "dpkg-query doesn't know the version of ${package}")
    endif()
    string(REGEX REPLACE "[^A-Za-z0-9.-]" "-" id "SPDXRef-${package}")
    string(REPLACE "+" "%2B" escaped "${package}@${version}")
    string(REPLACE ":" "%3A" escaped "${escaped}")
    string(REPLACE "~" "%7E" escaped "${escaped}")
    list(JOIN files_of_${package} " " names)
    string(APPEND document ",
    {\"SPDXID\": \"${id}\", \"name\": \"${package}\", \"versionInfo\": \"${version}\",
     \"sourceInfo\": \"source package ${source}\", \"comment\": \"${names}\",
     \"downloadLocation\": \"NOASSERTION\", \"filesAnalyzed\": false, \"licenseConcluded\": \"NOASSERTION\",
     \"licenseDeclared\": \"NOASSERTION\", \"copyrightText\": \"NOASSERTION\", \"primaryPackagePurpose\": \"LIBRARY\",
     \"externalRefs\": [{\"referenceCategory\": \"PACKAGE-MANAGER\", \"referenceType\": \"purl\",
       \"referenceLocator\": \"pkg:deb/debian/${escaped}?arch=${native}\"}]}")
    # What no library of ours asks for itself comes with those that it does ask for.
    if(NOT how_${package})
      set(how_${package} DEPENDS_ON)
    endif()
    string(APPEND relations ",
    {\"spdxElementId\": \"SPDXRef-table-updater\", \"relationshipType\": \"${how_${package}}\",
     \"relatedSpdxElement\": \"${id}\"}")
  endforeach()
  string(APPEND document "
  ],
  \"relationships\": [${relations}
  ]
}
")
  string(JSON kind ERROR_VARIABLE wrong TYPE "${document}" packages)
  if(wrong)
    message(FATAL_ERROR "the list of what is linked is no JSON: ${wrong}")
  endif()
  file(WRITE ${to} "${document}")
endfunction()
