b="auto"
c="auto"