package main

import (
	"bufio"
	"os"
	"os/exec"
	"strings"
)

// A server is one that a check starts because it needs other options.
type server struct {
	endpoint string
	process  *exec.Cmd
}

func startServer(options ...string) server {
	arguments := append([]string{"serve", "--host", "127.0.0.1", "--port", "0", "--log", "error"}, options...)
	process := exec.Command(os.Getenv("MINIKIN"), arguments...)
	process.Stderr = os.Stderr
	output := must(process.StdoutPipe())
	if err := process.Start(); err != nil {
		fail("%v", err)
	}
	server := server{process: process}
	lines := bufio.NewScanner(output)
	for lines.Scan() && lines.Text() != "Ready." {
		if address, found := strings.CutPrefix(lines.Text(), "Listening on "); found {
			server.endpoint = "http://" + strings.TrimPrefix(address, "http://")
		}
	}
	if server.endpoint == "" {
		server.stop()
		fail("minikin did not start")
	}
	return server
}

func (server server) stop() {
	server.process.Process.Kill()
	server.process.Wait()
}
