# Makes the units as they are installed: table-updater.service with the path of the program, and from it
# table-updater@.service for several processes beside each other, which differs by the instance's own settings file
# alone. Takes BINDIR (where the program is) and UNIT_FOLDER (where the units go).
file(READ ${CMAKE_CURRENT_LIST_DIR}/table-updater.service unit)
string(REPLACE "ExecStart=/usr/bin/" "ExecStart=${BINDIR}/" unit "${unit}")
file(WRITE ${UNIT_FOLDER}/table-updater.service "${unit}")

string(REGEX REPLACE "\nDescription=([^\n]*)" "\nDescription=\\1 (%i)" unit "${unit}")
set(own "# What this instance has of its own; it wins over the common file.\n")
set(own "${own}EnvironmentFile=-/etc/table-updater/%i.conf\n")
string(REPLACE "\nExecStart=" "\n${own}ExecStart=" unit "${unit}")
file(WRITE ${UNIT_FOLDER}/table-updater@.service "${unit}")
