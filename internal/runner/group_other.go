//go:build !unix

package runner

import "os/exec"

// Where there are no process groups, a command is ended alone.
func leadGroup(*exec.Cmd) {}

func endGroup(cmd *exec.Cmd) error { return cmd.Process.Kill() }

func killGroup(*exec.Cmd) {}
