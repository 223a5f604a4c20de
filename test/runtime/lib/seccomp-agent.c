/* seccomp-agent SOCKET: takes connections; prints each state, then answers each notification with the errno ENOMEDIUM (123), as linux/seccomp.h has it. */
#define _GNU_SOURCE
#include <linux/seccomp.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
int main(int argc, char **argv)
{
	if (argc != 2)
		return 1;
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int server = socket(AF_UNIX, SOCK_STREAM, 0);
	strncpy(address.sun_path, argv[1], sizeof(address.sun_path) - 1);
	if (bind(server, (struct sockaddr *)&address, sizeof(address)) || listen(server, 4))
		return 1;
	puts("listening");
	fflush(stdout);
	for (;;) {
		char text[8192], control[CMSG_SPACE(sizeof(int))];
		struct iovec iov = { text, sizeof(text) - 1 };
		struct msghdr message = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof(control) };
		int connection = accept(server, 0, 0), fd;
		ssize_t n = recvmsg(connection, &message, 0);
		if (n <= 0 || !CMSG_FIRSTHDR(&message))
			return 2;
		memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof(fd));
		text[n] = 0;
		printf("%s\n", text);
		printf("end %zd\n", recv(connection, text, 1, 0));
		fflush(stdout);
		close(connection);
		if (fork() == 0)
			for (;;) {
				struct seccomp_notif request = { 0 };
				struct seccomp_notif_resp response = { 0 };
				if (ioctl(fd, SECCOMP_IOCTL_NOTIF_RECV, &request))
					_exit(0);
				response.id = request.id;
				response.error = -123;
				ioctl(fd, SECCOMP_IOCTL_NOTIF_SEND, &response);
			}
		close(fd);
	}
}
