"""Start-up checks with ids: a wrong setting is reported, not met later."""
