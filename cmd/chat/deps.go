package main

// Keeps the modules that the packages beside this one are about to use.
import (
	_ "golang.org/x/crypto/bcrypt"
)
